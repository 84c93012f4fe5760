// Package otlp sends whole traces to an OpenTelemetry collector over OTLP, by
// gRPC or HTTP.
//
// It knows spans.Trace and the OTLP protocol; it does not know what a trace is
// about, nor which traces are worth sending.
//
// Not the SDK's BatchSpanProcessor: that one queues spans, and tears traces
// when it is full. Here a trace is queued, sent, retried and dropped whole.
//
//	Export → memory (bounded by spans) ────────────→ sender → client → collector
//	             └→ spiller → disk (by bytes) ──────────↗
//
// Sender and spiller write traces straight into OTLP's bytes (encode.go); what
// is on disk is sent as it is.
//
// A full queue drops what is new: a trace that Export has accepted is only
// lost if the collector refuses it, or is not there at shutdown and there is
// no directory, so that an id given out elsewhere (an exemplar, a link) keeps
// its end. At any moment
//
//	given + restored = exported + Σ dropped by reason + queued in memory and on disk
//
// holds for traces, for spans and for requests; what is being sent counts as
// queued until the collector has answered.
//
// # Disk
//
// With a directory, the spiller writes the oldest traces to it while more than
// half of the memory is full, and at the end everything that is left; the next
// process with that directory sends it. What is on disk is older than what
// waits in memory, and is sent first. Export never touches the disk: one that
// stalls holds up the spiller, and the sender when it has something to read
// there, but the memory goes on taking traces until it is full.
//
// It is a list of segments (segment.go) of some MiB, written at one end, read
// at the other, of one record a trace (record.go). A segment is removed when
// everything in it is delivered, refused or found lost; up to where it has
// come is in its header, so a process goes on where the last one was, and what
// a SIGKILL can make arrive twice is the one batch that was under way. A
// SIGKILL also loses what is in memory; in the middle of a write it leaves at
// most one torn record, which is counted. Two processes cannot have one
// directory (flock): the second gets ErrDirInUse.
//
// Nothing is synced: a power cut may lose what the kernel had not yet written,
// usually the last half minute, and may make what was delivered in that time
// arrive again. What it leaves is told apart by its checksums: the rest is
// dropped, and counted as torn or corrupt. Files are 0600, the directory, if
// it is made, 0700. It is better not on the disk of the broker's log.
//
// # Collector
//
// Where no answer comes to a request that is out (a timeout, a connection
// reset), the protocol does not say whether it was taken: it is sent again,
// and counted as unsure, for the collector may have it twice.
//
// Every OTEL_EXPORTER_OTLP_* variable means what OpenTelemetry says
// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/); of the
// protocols http/json is not spoken, and without a word of it grpc is. Retry
// and its codes follow https://opentelemetry.io/docs/specs/otlp/#failures and
// #otlphttp-response. gRPC is spoken by OpenTelemetry's own client, HTTP is
// not: its client keeps to itself what was answered and when to come again, and
// sends neither the query nor the user of the endpoint's URL.
//
// What the settings keep secret, the headers' values and what a URL has of
// users and queries, is in no log line and in no error, even if the collector
// quotes it.
package otlp
