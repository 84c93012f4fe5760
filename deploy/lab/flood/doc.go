// Package flood makes up a broker under 100,000 produce requests a second, as a
// recording that is never on a disk, and holds Tailspan to what it knows of
// it: each request that is slow, of which topic, and why.
//
// A Script says how much of what; a Generator writes it as a stream of the very
// blocks that `tailspan record` writes (packages recording and bpf give the
// format), from templates that are patched in place. The same script gives the
// same bytes. Its Truth is the table of slow requests by topic and cause.
//
// Drive runs the binary on such a stream, as fast as it goes or paced, with a
// collector of its own (Sink) that counts what arrives, and reads the binary's
// account from /metrics.
//
// Times in a script are nanoseconds of CLOCK_MONOTONIC from a fixed beginning;
// nothing in a stream depends on when it was made.
//
//	script.go      how much of what
//	cast.go        who takes part: topics, partitions, threads, connections
//	wire.go        TCP and Kafka bytes; frames.go: of the requests and answers
//	probe.go       probe records
//	generator.go   the stream: requests that are quick; facts.go: the facts in it
//	stall.go       those that are slow: who waits for what; acts.go: step by step
//	truth.go       what was slow
//	sink.go        the collector; estimate.go: what its tracestates say
//	metrics.go     what /metrics says
//	drive.go       the run of a binary; pace.go: at the pace of the clock
//	report.go      figures
package flood
