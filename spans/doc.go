// Package spans holds the finished product: traces of spans, their ids, and
// every attribute key and cause that Tailspan ever writes.
//
// It knows OpenTelemetry's data model and nothing of Kafka's wire, of kernels
// or of JVMs.
package spans
