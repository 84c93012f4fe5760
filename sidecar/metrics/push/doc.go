// Package push sends what a Prometheus registry has to an OpenTelemetry
// collector, again and again. It is the only importer of OpenTelemetry's metrics
// SDK and of the OTLP metrics client.
//
//	registry → producer (the bridge, and what it leaves out) → periodic reader → exporter → collector
//
// It knows metric families and OTLP; it does not know what is counted. Names stay
// Prometheus'; counters are cumulative whatever temporality is asked for; native
// histograms become exponential ones, without the classic buckets.
//
// It is off unless OTEL_METRICS_EXPORTER=otlp. These variables mean what
// OpenTelemetry says: OTEL_METRIC_EXPORT_INTERVAL (60 s) and _TIMEOUT, and all of
// OTEL_EXPORTER_OTLP_* and OTEL_EXPORTER_OTLP_METRICS_*, with the protocols grpc
// (the default, as for traces) and http/protobuf. A push that fails is not
// repeated: the next one has it all.
//
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/,
// https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/.
package push
