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
		"secret":       {map[string]string{"ENDPOINT": "https://u:s3cret@host:1"}, settings{endpoint: "https://u:xxxxx@host:1", secret: "s3cret"}, ""},
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
