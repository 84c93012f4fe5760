// Package otlp sends whole traces to an OpenTelemetry collector over
// OTLP/gRPC. It is the only importer of the OTLP client.
//
// It knows spans.Trace and the OTLP protocol; it does not know what a trace is
// about, nor which traces are worth sending.
//
// Not the SDK's BatchSpanProcessor: that one queues spans, and tears traces
// when it is full. Here a trace is queued, sent, retried and dropped whole.
//
//	Export → queue (bounded by spans) → sender → UploadTraces → collector
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
// Every OTEL_EXPORTER_OTLP_* variable means what OpenTelemetry says
// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/), except that
// only the protocol grpc is spoken. Retry and its codes follow
// https://opentelemetry.io/docs/specs/otlp/#failures.
package otlp
