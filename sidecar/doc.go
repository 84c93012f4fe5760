// Package sidecar joins the stages: packets and probe records become events,
// events become traces, traces are sampled, printed and exported. It is the
// only package that sees all of them.
//
//	sidecar.go   the pipeline that live and replay share
//	live.go      Run: the goroutines of a live run
//	clock.go     the one clock, and its distance from Unix time
//	brokers.go   brokers come and go
//	view.go      what the live view of a run shows
//	progress.go  how far a replay, or a recording, has come
//	replay.go    the same from a file
//	survey.go    what must be known of a file before waits from elsewhere go with it
//	waits.go     those waits, as the probes would have told them, at the recording's times (waits_align.go)
//	batches.go   its events, from the goroutine that decodes to the one that assembles
//	output.go    rows to the printer, traces to sampler and exporter
//	account.go   what was seen, and what became of it
package sidecar
