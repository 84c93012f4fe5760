// Package assemble joins events into traces: request to response, request to
// write, write to ext4_dirty_inode and journal commit, wait to holders.
//
// It is pure: it reads no clock, does no I/O, knows neither kernel nor Kafka
// bytes. Events come in the order of time (event.Queue); time passes only with
// them and with Tick. The same events give the same rows and traces, live or
// replayed.
//
// Everything is kept in bounded tables and let go of by event time:
//
//	assemble.go     the Assembler: events in, what is due
//	stats.go        what is counted
//	timer.go        what happens later, by event time
//	request.go      a produce request, from its arrival on; finish.go: to its last word
//	connection.go   what a request waited for in the socket, and how connections end
//	expire.go       requests that nothing more is heard of
//	unwritten.go    acks=0 requests that the broker never got to
//	log.go          a partition's log: how far it has come
//	waiting.go      what waits for a write
//	join.go         request ↔ write: by CRC32C and length
//	answer.go       what a response says: by base offset, and duplicates
//	rewritten.go    acks=0 requests whose batch the broker rewrote
//	names.go        topic ids whose name is learned late
//	replication.go  which follower an acks=all request waited for
//	append.go       appends of which no request can be read; append_headers.go: what their records say
//	thread.go       what a handler thread did between two boundaries
//	monitor.go      waits for Java monitors; share.go: the shares of their holders
//	holder.go       what the holders did, hop by hop; wait_spans.go: as spans
//	blocked.go      what a write, an fsync or a hold cost those who waited for it
//	watch.go        when monitors were not watched
//	pause.go        when all Java threads stood still; pause_spans.go: as spans
//	park.go         parks: in the request queue, and for locks of java.util.concurrent
//	stays.go        when a thread did not run; offcpu.go: why; stacks.go: as spans and rows
//	fsync.go        fsyncs, of requests and of nobody
//	journal.go      commits, and what they held up; commit.go: as traces, with who had them begun
//	flush.go        fast commits and XFS's log forces
//	inner.go        what else happened inside a write or an fsync; overlap.go: what that waited for, overlaps.go: of several at once, overlap_spans.go: as spans
//	blockio.go      what the disk did meanwhile
//	cause.go        what took most of it
//	phase.go        the successive steps of a request
//	underway.go     what has begun and not ended
//	measure.go      what is timed and counted of everything
//	summary.go      what is known of a trace that may never be built
//	trace.go        a request as spans; root.go, attributes.go: what they say
//	adopt.go        requests that are a part of their producer's trace
//	trim.go         what no trace would show
//	other.go        what is no request, as traces
//	rows.go         what --print prints; print.go fills it
//
// The one goroutine that calls Handle owns all of it.
package assemble
