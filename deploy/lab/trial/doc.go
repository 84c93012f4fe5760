// Package trial is what the tests of real brokers have in common: mounts of
// their own, the binary, a directory for what is said, a scene and a Jaeger
// that go away with the test, and a Tailspan that traces before anything is sent.
package trial
