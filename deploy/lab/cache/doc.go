// Package cache knows where the lab keeps what outlives a run (Kafka's jars,
// Jaeger's binary) and what does not (a run's directory).
//
// A run's directory is held by a file lock, which the kernel drops when the
// process dies, however it dies: what nobody holds is a leftover, and the next
// run removes it.
package cache
