// Package probeflag tests what `--enable-monitor-probes` does to running JVMs,
// on every JDK there is: switching the flag to and fro under load, and putting
// it back, however tailspan ends. It has tests only.
package probeflag
