// Package contend runs a JVM whose threads contend for monitors in a way that is
// known: evenly at a given rate, behind one slow holder, or in a chain. Each
// writes down which lock it asked for, got and released when, by CLOCK_MONOTONIC:
// that is the truth which Tailspan's waits, and JFR's, are held against, beside
// the JVM's own count of how often its threads were blocked.
//
// It passes for a broker to whoever is given its pid (jvm.Inspect: it names a
// properties file, listens where that says, and its log dir has an identity), so
// `tailspan record --pid` traces it.
package contend
