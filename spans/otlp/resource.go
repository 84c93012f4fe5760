package otlp

import (
	"net/netip"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tailspan/tailspan/spans"
)

const defaultService = "kafka"

// Broker is a broker process as its spans' resource tells of it. What is
// unknown ("", 0, an invalid address; Node: negative) is left out.
type Broker struct {
	Service    string // "": kafka
	Instance   string
	Cluster    string
	Node       int32
	PID        int32
	Executable string // its name, without a path

	Runtime, RuntimeVersion string // the JVM's

	Host, Arch, OS string // Arch and OS as Go calls them
	IP             netip.Addr
	Kubernetes     map[string]string // as Kubernetes returns it
}

// BrokerResource describes one broker process. OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES win over everything.
func BrokerResource(b Broker) *spans.Resource {
	if b.Service == "" {
		b.Service = defaultService
	}
	a := []attribute.KeyValue{semconv.ServiceName(b.Service)}
	add := func(known bool, kv attribute.KeyValue) {
		if known {
			a = append(a, kv)
		}
	}
	text := func(key attribute.Key, value string) { add(value != "", key.String(value)) }
	text(semconv.ServiceInstanceIDKey, b.Instance)
	text(semconv.HostNameKey, b.Host)
	text(semconv.HostArchKey, arch(b.Arch))
	text(semconv.OSTypeKey, b.OS)
	add(b.PID > 0, semconv.ProcessPID(int(b.PID)))
	text(semconv.ProcessExecutableNameKey, b.Executable)
	text(semconv.ProcessRuntimeNameKey, b.Runtime)
	text(semconv.ProcessRuntimeVersionKey, b.RuntimeVersion)
	text(spans.KeyClusterID, b.Cluster)
	add(b.Node >= 0, attribute.Int(spans.KeyBrokerID, int(b.Node)))
	if b.IP.IsValid() {
		text(spans.KeyIP, b.IP.Unmap().String())
	}
	for _, k := range kubernetes {
		text(k.key, b.Kubernetes[string(k.key)])
	}
	for _, kv := range sdk.Environment().Attributes() {
		a = override(a, kv)
	}
	return &spans.Resource{Attributes: a}
}

func override(a []attribute.KeyValue, kv attribute.KeyValue) []attribute.KeyValue {
	i := slices.IndexFunc(a, func(have attribute.KeyValue) bool { return have.Key == kv.Key })
	if i < 0 {
		return append(a, kv)
	}
	a[i] = kv
	return a
}

// arch is OpenTelemetry's word for one of Go's, where they differ.
func arch(goarch string) string {
	switch goarch {
	case "386":
		return "x86"
	case "arm":
		return "arm32"
	case "ppc64le":
		return "ppc64"
	}
	return goarch
}
