// Package exact holds Tailspan against everybody else who knows what was sent:
// each client's own record, the broker's metrics, and the segments. Every
// request is counted once, every batch in the log is joined with the request
// that brought it, and nothing else.
//
// It is a test: of 20,000 requests, or as many as $LAB_REQUESTS says (`make
// test-long`: a million).
package exact
