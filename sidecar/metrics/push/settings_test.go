package push

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestEnabled(t *testing.T) {
	for _, x := range []struct {
		exporter, disabled string
		want               bool
		err                error
	}{
		{"", "", false, nil}, {"none", "", false, nil}, {"otlp", "", true, nil}, {" OTLP ", "", true, nil},
		{"otlp", "true", false, nil}, {"prometheus", "", false, nil}, {"prometheus, otlp", "", true, nil},
		{"console", "", false, ErrExporter}, {"otlp,x", "", false, ErrExporter},
	} {
		t.Setenv("OTEL_METRICS_EXPORTER", x.exporter)
		t.Setenv("OTEL_SDK_DISABLED", x.disabled)
		if got, err := Enabled(); got != x.want || !errors.Is(err, x.err) {
			t.Errorf("%q %q: %v, %v", x.exporter, x.disabled, got, err)
		}
	}
}

func TestSettings(t *testing.T) {
	for name, x := range map[string]struct {
		env  map[string]string
		want settings
		err  string
	}{
		"default":      {nil, settings{endpoint: "localhost:4317", plain: true}, ""},
		"http":         {map[string]string{"PROTOCOL": "http/protobuf"}, settings{http: true, endpoint: "localhost:4318", plain: true}, ""},
		"own":          {map[string]string{"PROTOCOL": "http/protobuf", "METRICS_PROTOCOL": "grpc"}, settings{endpoint: "localhost:4317", plain: true}, ""},
		"tls":          {map[string]string{"CERTIFICATE": "/ca.pem"}, settings{endpoint: "localhost:4317"}, ""},
		"secret":       {map[string]string{"ENDPOINT": "https://u:s3cret@host:1"}, settings{endpoint: "https://u:xxxxx@host:1"}, ""},
		"token":        {map[string]string{"ENDPOINT": "https://s3cret@host:1"}, settings{endpoint: "https://xxxxx@host:1"}, ""},
		"query":        {map[string]string{"ENDPOINT": "https://host:1/x?key=s3cret"}, settings{endpoint: "https://host:1/x?xxxxx"}, ""},
		"json":         {map[string]string{"PROTOCOL": "http/json"}, settings{}, "not supported"},
		"not a URL":    {map[string]string{"ENDPOINT": "http://u:s3cret@[::1"}, settings{}, "not a URL"},
		"own endpoint": {map[string]string{"ENDPOINT": "http://a:1", "METRICS_ENDPOINT": "http://b:2"}, settings{endpoint: "http://b:2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range x.env {
				t.Setenv("OTEL_EXPORTER_OTLP_"+k, v)
			}
			got, err := readSettings()
			if x.err != "" {
				if err == nil || !strings.Contains(err.Error(), x.err) || strings.Contains(err.Error(), "s3cret") {
					t.Error(err)
				}
				return
			}
			got.secrets = x.want.secrets // TestSecrets
			if err != nil || got != x.want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestUnusableSettings are said without their values.
func TestUnusableSettings(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key s3cret,b=%zzs3cret")
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "s3cret")
	log := &logBuffer{}
	p, err := Start(t.Context(), Options{Registry: prometheus.NewRegistry(), Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	_ = shutdown(p, ms)
	if s := log.String(); strings.Contains(s, "s3cret") || strings.Count(s, "not usable") < 2 {
		t.Error(s)
	}
}

// TestSecrets: what a collector quotes of what it was sent is not said.
func TestSecrets(t *testing.T) {
	for _, endpoint := range []string{"", "https://u:pa55word@host:1/?key=t0ken", "https://t0ken@host:1"} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret")
		s, err := readSettings()
		if err != nil {
			t.Fatal(err)
		}
		said := "no such token: s3cret"
		if endpoint != "" {
			said += " " + endpoint
		}
		for _, secret := range []string{"s3cret", "pa55word", "t0ken"} {
			if text := s.hide(errors.New(said)).Error(); strings.Contains(text, secret) {
				t.Errorf("%q: %s", endpoint, text)
			}
		}
	}
}
