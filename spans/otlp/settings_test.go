package otlp

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name, endpoint string
		plain          bool
		env            map[string]string
	}{
		{"default", "localhost:4317", true, nil},
		{"default with a CA", "localhost:4317", false, map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem"}},
		{"told", "localhost:4317", false, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_INSECURE": "false"}},
		{"all signals", "http://a:1", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1"}},
		{"traces win", "http://b:2", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2"}},
		{"password", "https://me:xxxxx@a:1", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://me:secret@a:1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			endpoint, plain, err := settings()
			if endpoint != c.endpoint || plain != c.plain || err != nil {
				t.Errorf("%q %v %v", endpoint, plain, err)
			}
		})
	}
}

func TestSettingsThatCannotBeMet(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	if _, err := New(context.Background(), Options{}); !errors.Is(err, ErrProtocol) {
		t.Error(err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:secret@[::1")
	if _, err := New(context.Background(), Options{}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// What a variable holds is never logged, whatever the libraries think of it.
func TestCredentialsStayOut(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "secret-without-equals")
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "ten secret seconds")
	log := &logBuffer{}
	e, err := New(context.Background(), Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer flush(e, 0)
	if strings.Contains(log.String(), "secret") {
		t.Error(log)
	}
	if log.lines("parse headers") != 1 || log.lines("parse duration") != 1 {
		t.Errorf("a setting was ignored in silence:\n%s", log)
	}
}

func TestEnabled(t *testing.T) {
	for value, want := range map[string]bool{"": true, "otlp": true, "none": false, "NONE": false} {
		t.Setenv("OTEL_TRACES_EXPORTER", value)
		if Enabled() != want {
			t.Errorf("%q: %v", value, !want)
		}
	}
}
