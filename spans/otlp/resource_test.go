package otlp

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/tailspan/tailspan/spans"
)

func TestBrokerResource(t *testing.T) {
	t.Setenv("OTEL_SERVICE_NAME", "")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "")
	compare(t, BrokerResource(Broker{
		Instance: "broker-1", Cluster: "Mk3", Node: 1, PID: 4242, Executable: "java",
		Runtime: "OpenJDK Runtime Environment", RuntimeVersion: "21.0.8",
		Host: "host", Arch: "amd64", OS: "linux", IP: netip.MustParseAddr("::ffff:10.0.0.7"),
		Kubernetes: map[string]string{"k8s.pod.name": "kafka-1", "k8s.namespace.name": "queues", "anything.else": "x"},
	}), map[string]any{
		"service.name": "kafka", "service.instance.id": "broker-1", "host.name": "host", "host.arch": "amd64", "os.type": "linux",
		"process.pid": int64(4242), "process.executable.name": "java",
		"process.runtime.name": "OpenJDK Runtime Environment", "process.runtime.version": "21.0.8",
		"tailspan.kafka.cluster_id": "Mk3", "tailspan.kafka.broker_id": int64(1), "ip": "10.0.0.7",
		"k8s.pod.name": "kafka-1", "k8s.namespace.name": "queues",
	})
	compare(t, BrokerResource(Broker{Node: -1}), map[string]any{"service.name": "kafka"})
	compare(t, BrokerResource(Broker{Arch: "arm"}), map[string]any{
		"service.name": "kafka", "host.arch": "arm32", "tailspan.kafka.broker_id": int64(0),
	})

	t.Setenv("OTEL_SERVICE_NAME", "orders-kafka")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=no,deployment.environment.name=a%20b,host.name=h2,k8s.pod.name=p2")
	compare(t, BrokerResource(Broker{Service: "x", Node: -1, Host: "h1", Kubernetes: map[string]string{"k8s.pod.name": "p1"}}), map[string]any{
		"service.name": "orders-kafka", "host.name": "h2", "deployment.environment.name": "a b", "k8s.pod.name": "p2",
	})
}

func TestKubernetes(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want map[string]string
	}{
		{"somewhere else", map[string]string{"NAMESPACE": "mine", "POD_NAME": "p", "NODE_NAME": "n"}, nil},
		{"told nothing", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, map[string]string{}},
		{"usual names", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1", "POD_NAME": "p", "POD_UID": "u", "NAMESPACE": "ns", "NODE_NAME": "n"},
			map[string]string{"k8s.pod.name": "p", "k8s.pod.uid": "u", "k8s.namespace.name": "ns", "k8s.node.name": "n"}},
		{"own names win", map[string]string{"K8S_POD_NAME": "a", "POD_NAME": "b", "NAMESPACE": "d", "POD_NAMESPACE": "c", "K8S_CONTAINER_NAME": "tailspan"},
			map[string]string{"k8s.pod.name": "a", "k8s.namespace.name": "c", "k8s.container.name": "tailspan"}},
		{"of a DaemonSet", map[string]string{"K8S_NODE_NAME": "n"}, map[string]string{"k8s.node.name": "n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			for _, k := range kubernetes {
				for _, name := range append(k.alt, k.own) {
					t.Setenv(name, "")
				}
			}
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			if got := Kubernetes(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v, not %v", got, c.want)
			}
		})
	}
}

func compare(t *testing.T, r *spans.Resource, want map[string]any) {
	t.Helper()
	if len(r.Attributes) != len(want) {
		t.Errorf("%v", r.Attributes)
	}
	for _, kv := range r.Attributes {
		if want[string(kv.Key)] != kv.Value.AsInterface() {
			t.Errorf("%s = %v", kv.Key, kv.Value.AsInterface())
		}
	}
}
