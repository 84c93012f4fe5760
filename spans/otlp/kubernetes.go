package otlp

import (
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// kubernetes is what a pod may be told of itself: no variable has these names
// by itself, but they are what the downward API's values are usually given as.
var kubernetes = []struct {
	key attribute.Key
	own string   // tells that this is Kubernetes
	alt []string // tell so only where something else does
}{
	{semconv.K8SPodNameKey, "K8S_POD_NAME", []string{"POD_NAME"}},
	{semconv.K8SPodUIDKey, "K8S_POD_UID", []string{"POD_UID"}},
	{semconv.K8SNamespaceNameKey, "K8S_NAMESPACE_NAME", []string{"POD_NAMESPACE", "NAMESPACE"}},
	{semconv.K8SNodeNameKey, "K8S_NODE_NAME", []string{"NODE_NAME"}},
	{semconv.K8SContainerNameKey, "K8S_CONTAINER_NAME", nil},
}

// Kubernetes returns what the environment says of the pod, by attribute key;
// nil where this is not Kubernetes. It is this process's own pod: a broker's
// too if they share it; a DaemonSet should be told of its node alone.
func Kubernetes() map[string]string {
	here := env("KUBERNETES_SERVICE_HOST") != ""
	for _, k := range kubernetes {
		here = here || env(k.own) != ""
	}
	if !here {
		return nil
	}
	found := map[string]string{}
	for _, k := range kubernetes {
		for _, name := range append([]string{k.own}, k.alt...) {
			if v := env(name); v != "" {
				found[string(k.key)] = v
				break
			}
		}
	}
	return found
}
