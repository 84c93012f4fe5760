// Package kafka runs real brokers and their real clients: the jars of several
// versions come from Maven, each broker is a JVM on loopback with any of
// Kafka's security protocols, alone or in a cluster of this one host, the
// producers are Kafka's own ProducerPerformance. What others say of a run is
// here too: DumpLogSegments of what a segment holds, the broker's request log
// of its requests and their phases, its metrics of their number.
package kafka
