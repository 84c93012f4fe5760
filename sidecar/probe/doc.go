// Package probe turns raw probe records into events: it names the
// topic-partition of a write by its directory, reads the record-batch header,
// pairs the phases of a journal commit.
//
// It knows the layout of bpf's records and of Kafka's log directories and batch
// headers; it knows neither packets nor spans, and reads nothing from the
// system, so that a replay runs the same code. One goroutine calls Record.
package probe
