package otlp

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	const http, certificate = "http/protobuf", "OTEL_EXPORTER_OTLP_CERTIFICATE"
	ca := newAuthority(t).file
	for _, c := range []struct {
		name, protocol, endpoint, url string
		plain                         bool
		env                           map[string]string
	}{
		{"default", "", "localhost:4317", "", true, nil},
		{"default with a CA", "grpc", "localhost:4317", "", false, map[string]string{certificate: ca}},
		{"told", "", "localhost:4317", "", false, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_INSECURE": "false"}},
		{"all signals", "", "http://a:1", "", true, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1"}},
		{"traces win", "", "http://b:2", "", true, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2"}},
		{"password", "", "https://me:xxxxx@a:1", "", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://me:secret@a:1"}},
		{"scheme wins", "", "https://a:1", "", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://a:1", "OTEL_EXPORTER_OTLP_INSECURE": "true"}},
		{"http wins over a CA", "", "http://a:1", "", true, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1", certificate: ca}},
		{"no scheme", "", "a:1", "", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "a:1"}},
		{"no scheme, told", "", "a:1", "", true, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "a:1", "OTEL_EXPORTER_OTLP_INSECURE": "true"}},

		{"HTTP", http, "http://localhost:4318/v1/traces", "http://localhost:4318/v1/traces", false, nil},
		{"base", http, "http://a:1/v1/traces", "http://a:1/v1/traces", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1"}},
		{"base with a slash", http, "http://a:1/v1/traces", "http://a:1/v1/traces", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1/"}},
		{"base with a path", http, "https://a/x/v1/traces", "https://a/x/v1/traces", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://a/x/"}},
		{"as it is", http, "https://a:1/x", "https://a:1/x", false, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://a:1/x", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://b"}},
		{"root", http, "http://a:1/", "http://a:1/", false, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:1"}},
		{"token in the query", http, "https://a/v1/traces?xxxxx", "https://a/v1/traces?token=secret", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://a?token=secret"}},
		{"token as user", http, "https://xxxxx@a/v1/traces", "https://secret@a/v1/traces", false, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://secret@a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", c.protocol)
			s, err := readSettings(slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if s.endpoint != c.endpoint || s.plain != c.plain {
				t.Errorf("%q %v", s.endpoint, s.plain)
			}
			if c.url != "" && s.url.String() != c.url {
				t.Errorf("%s", s.url)
			}
		})
	}
}

func TestSettingsOfHTTP(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=b")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=c%3D%20d, Authorization = Basic eA== ,=x,no,b d=x,c=%zz,d=%0a1")
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1500")
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	log := &logBuffer{}
	s, err := readSettings(slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.headers) != 3 || s.headers["api-key"] != "c= d" || s.headers["Authorization"] != "Basic eA==" || s.headers["d"] != "1" {
		t.Errorf("headers %q", s.headers)
	}
	if log.lines("parse headers") != 4 {
		t.Errorf("a header was ignored in silence:\n%s", log)
	}
	if s.timeout != 1500*time.Millisecond || !s.gzip || s.protocol != protocolHTTP {
		t.Errorf("%+v", s)
	}
}

func TestSettingsThatCannotBeMet(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "secret.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, variable, value, http string
		want                        string
	}{
		{"JSON", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "", "http/json"},
		{"of traces", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http", "", "set OTEL_EXPORTER_OTLP_PROTOCOL to grpc or http/protobuf"},
		{"no URL", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:secret@[::1", "", "not a URL"},
		{"no URL for HTTP", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:secret@[::1", "http/protobuf", "not a URL"},
		{"no scheme for HTTP", "OTEL_EXPORTER_OTLP_ENDPOINT", "secret:4318", "http/protobuf", "http://HOST:PORT"},
		{"no host for HTTP", "OTEL_EXPORTER_OTLP_ENDPOINT", "https:///secret", "http/protobuf", "http://HOST:PORT"},
		{"compression", "OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "", "zstd"},
		{"no CA", "OTEL_EXPORTER_OTLP_CERTIFICATE", "/not/there", "", "/not/there"},
		{"an empty CA", "OTEL_EXPORTER_OTLP_CERTIFICATE", empty, "http/protobuf", "no PEM certificate"},
		{"half a pair", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "/not/there", "http/protobuf", "lacks the other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", c.http)
			t.Setenv(c.variable, c.value)
			e, err := New(context.Background(), Options{})
			if err == nil {
				flush(e, 0)
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret@") {
				t.Error(err)
			}
			if protocol := strings.HasSuffix(c.variable, "PROTOCOL"); protocol != errors.Is(err, ErrProtocol) {
				t.Errorf("ErrProtocol: %v", !protocol)
			}
		})
	}
}

// What a variable holds is never logged, whatever the libraries think of it.
func TestCredentialsStayOut(t *testing.T) {
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
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
		})
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
