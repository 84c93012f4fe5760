// Package event is the vocabulary between those who see (capture, probe) and
// the one who joins (assemble): a closed set of small structs, each stamped
// with CLOCK_MONOTONIC nanoseconds, and the queue that merges the sources in
// the order of time.
//
// It knows nothing of packets, kernels, probes or spans, and imports the
// standard library only.
//
// An event is owned by whoever holds it: a source makes it, pushes it, and
// never touches it again.
package event
