// Package jfr reads waits from what `jfr print --json` prints of a recording of
// the JDK Flight Recorder, the JVM's own or async-profiler's (event=lock,jfr):
// the events jdk.JavaMonitorEnter (src/hotspot/share/jfr/metadata/metadata.xml).
// It knows nothing of brokers, of the kernel's threads, or of our own
// recordings. Parks (jdk.ThreadPark) are left out: JFR does not say who ended
// them.
//
// The text is a stream of any length. A file is one object,
//
//	{"recording": {"events": [{"type": "jdk.JavaMonitorEnter", "values": {…}}, …]}}
//
// with the fields of each event in the order of its type. What is not needed,
// stack traces above all, is skipped without being kept. Times are wall-clock,
// in the zone of who printed the file, and are returned as Unix nanoseconds;
// durations are ISO 8601 (PT0.0123S).
//
// JFR takes the time of an event from a counter (the TSC where it trusts it),
// and the wall clock once a chunk of its file, a few minutes; who prints the file
// may keep to the first chunk's. So these times may be wrong by seconds: package
// align finds by how much.
package jfr
