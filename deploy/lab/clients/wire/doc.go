// Package wire speaks Kafka's protocol without a client's policies: batches of
// any form, Produce requests of any version, many in flight on one connection.
// It knows bytes and correlation ids; what is sent, and why, it does not know.
//
// Formats: Kafka's protocol guide; org.apache.kafka.common.record.DefaultRecordBatch
// (magic 2) and LegacyRecord (magic 0, 1).
package wire
