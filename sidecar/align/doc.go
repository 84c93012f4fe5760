// Package align finds by how much the clock of somebody who saw the waits of
// threads (JFR) differs from that of who saw them sleep (the kernel), by what
// both saw: a thread that waits for a monitor sleeps for most of that time, and
// has the monitor some 15 µs after it woke up. It knows nothing of files, of
// brokers, or of the JVM.
//
// Where HotSpot trusts the TSC, JFR stamps events by it, and takes its frequency
// to be what the processor's name says (cpu/x86/rdtsc_x86.cpp,
// initialize_frequency; vm_version_x86.cpp,
// max_qualified_cpu_freq_from_brand_string): "@ 2.00GHz" is one whose TSC counts
// 1.9953 GHz, so that JFR is 2.35 ms late after each second. The wall clock is
// taken at the begin of a chunk of the file (jfr/recorder/repository/jfrChunk.cpp);
// whether who reads the file begins anew with it depends: jdk.jfr.consumer goes
// on with the first chunk's as long as chunks have the same metadata. So the
// difference is a line, which begins anew at some chunks.
//
//	sleeps.go     the kernel's side, in bounds
//	align.go      from wait to wait: a line is kept as long as they have sleeps, and looked for where they have none
//	elect.go      which line that could be
//	vote.go       the line on which most differences lie, of all that are possible
//	fit.go        a line that follows what lies on it
//	pairs.go      which sleep was a wait's
//	alignment.go  what was found
package align
