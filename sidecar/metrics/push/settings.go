package push

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/tailspan/tailspan/spans/otlp"
)

var (
	// ErrExporter is returned by Enabled if the environment asks for what there
	// is not.
	ErrExporter = errors.New("exporter is not supported, set OTEL_METRICS_EXPORTER to otlp or none")
	// ErrProtocol is returned by Start if the environment asks for a protocol that
	// is not spoken.
	ErrProtocol = errors.New("protocol is not supported, set OTEL_EXPORTER_OTLP_METRICS_PROTOCOL to grpc or http/protobuf")
)

// Enabled says whether the environment asks for metrics over OTLP. It is a list;
// prometheus in it asks for nothing, for metrics are always served.
func Enabled() (bool, error) {
	asked := false
	for name := range strings.SplitSeq(env("OTEL_METRICS_EXPORTER"), ",") {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "", "none", "prometheus":
		case "otlp":
			asked = true
		default:
			return false, fmt.Errorf("OTEL_METRICS_EXPORTER %q: %w", name, ErrExporter)
		}
	}
	return asked && !strings.EqualFold(env("OTEL_SDK_DISABLED"), "true"), nil
}

// settings are what is read here of what the clients read, too.
type settings struct {
	http bool
	// plain: without TLS. It is OpenTelemetry's default for its default endpoint,
	// but not the clients'.
	plain    bool
	endpoint string // to be shown
	secrets  otlp.Secrets
}

func readSettings() (settings, error) {
	var s settings
	switch p := either("PROTOCOL"); p {
	case "", "grpc":
	case "http/protobuf":
		s.http = true
	default:
		return s, fmt.Errorf("OTLP %q: %w", p, ErrProtocol)
	}
	endpoint := either("ENDPOINT")
	if endpoint == "" {
		s.secrets = otlp.SecretsOf(nil, either("HEADERS"))
		s.endpoint = "localhost:4317"
		if s.http {
			s.endpoint = "localhost:4318"
		}
		s.plain = either("INSECURE") == "" && either("CERTIFICATE") == ""
		return s, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		// Its text would show the whole URL, with a password that may be in it.
		return s, errors.New("parse OTEL_EXPORTER_OTLP_ENDPOINT: not a URL")
	}
	s.endpoint, s.secrets = otlp.Shown(u), otlp.SecretsOf(u, either("HEADERS"))
	return s, nil
}

// either is the variable for metrics or else the one for all signals.
func either(name string) string {
	if v := env("OTEL_EXPORTER_OTLP_METRICS_" + name); v != "" {
		return v
	}
	return env("OTEL_EXPORTER_OTLP_" + name)
}

func env(name string) string { return strings.TrimSpace(os.Getenv(name)) }
