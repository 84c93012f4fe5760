// Package flight has a broker's JVM record its own lock waits with the JDK
// Flight Recorder, or async-profiler do it, and prints what came out: an oracle
// for what the probes see, and what `tailspan replay --waits` takes where there
// are none.
package flight
