// Package kafka runs one real broker and its real clients: the jars come from
// Maven, the broker is KRaft in one JVM on loopback, the producers are Kafka's
// own ProducerPerformance, and DumpLogSegments is the oracle for what a segment
// holds.
package kafka
