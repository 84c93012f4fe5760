// Package otlp sends whole traces to an OpenTelemetry collector over OTLP, by
// gRPC or HTTP. It is the only importer of the OTLP client.
//
// It knows spans.Trace and the OTLP protocol; it does not know what a trace is
// about, nor which traces are worth sending.
//
// Not the SDK's BatchSpanProcessor: that one queues spans, and tears traces
// when it is full. Here a trace is queued, sent, retried and dropped whole.
//
//	Export → queue (bounded by spans) → sender → client → collector
//
// A full queue drops what is new: a trace that Export has accepted is only
// lost if the collector refuses it or is not there at shutdown, so that an id
// given out elsewhere (an exemplar, a link) keeps its end. At any moment
//
//	given = exported + dropped (queue full, rejected, undelivered) + queued
//
// holds for traces and for spans; what is being sent counts as queued until
// the collector has answered.
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
// not: that one keeps to itself what was answered and when to come again, and
// sends neither the query nor the user of the endpoint's URL.
//
// What the settings keep secret, the headers' values and what a URL has of
// users and queries, is in no log line and in no error, even if the collector
// quotes it.
package otlp
