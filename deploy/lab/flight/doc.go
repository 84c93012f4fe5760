// Package flight prints the lock waits that a broker's JVM recorded (package
// jfr), or async-profiler, as `tailspan replay --waits` takes them where there
// are no probes; and holds what becomes of them to what the probes saw.
package flight
