package otlp

import (
	"net/netip"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tailspan/tailspan/spans"
)

// Keys of a broker's resource for which OpenTelemetry has no name.
const (
	keyCluster = attribute.Key("tailspan.kafka.cluster_id")
	keyBroker  = attribute.Key("tailspan.kafka.broker_id")
	keyIP      = attribute.Key("ip") // Jaeger's clock-skew adjuster looks for it
)

const defaultService = "kafka"

// BrokerResource describes one broker process. What is unknown ("", 0, an
// invalid address; broker: negative) is left out. OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES win over everything.
func BrokerResource(service, instance, cluster string, broker, pid int32, ip netip.Addr, hostname string) *spans.Resource {
	if service == "" {
		service = defaultService
	}
	a := []attribute.KeyValue{semconv.ServiceName(service)}
	add := func(known bool, kv attribute.KeyValue) {
		if known {
			a = append(a, kv)
		}
	}
	add(instance != "", semconv.ServiceInstanceID(instance))
	add(hostname != "", semconv.HostName(hostname))
	add(pid > 0, semconv.ProcessPID(int(pid)))
	add(cluster != "", keyCluster.String(cluster))
	add(broker >= 0, keyBroker.Int(int(broker)))
	if ip.IsValid() {
		add(true, keyIP.String(ip.Unmap().String()))
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
