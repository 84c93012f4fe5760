// Package brokers holds Tailspan to real brokers, old and new, encrypted and
// replicated: each broker's own request log and metrics say which requests
// there were.
package brokers
