package otlp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/go-logr/logr"
	"google.golang.org/grpc/grpclog"
)

// ErrProtocol is returned by New if the environment asks for a protocol other
// than grpc.
var ErrProtocol = errors.New("protocol is not supported, set OTEL_EXPORTER_OTLP_PROTOCOL=grpc")

const defaultEndpoint = "localhost:4317"

// Enabled says whether the environment wants traces to be exported: it does
// unless OTEL_TRACES_EXPORTER is none or OTEL_SDK_DISABLED is true.
func Enabled() bool {
	return !strings.EqualFold(env("OTEL_TRACES_EXPORTER"), "none") &&
		!strings.EqualFold(env("OTEL_SDK_DISABLED"), "true")
}

// settings reads what the client reads too, to be able to name the endpoint
// and to refuse what it would ignore. plain: without TLS, for OpenTelemetry's
// default is http://localhost:4317, but the client's is https.
func settings() (endpoint string, plain bool, err error) {
	if p := either("PROTOCOL"); p != "" && p != "grpc" {
		return "", false, fmt.Errorf("OTLP %q: %w", p, ErrProtocol)
	}
	endpoint = either("ENDPOINT")
	if endpoint == "" {
		return defaultEndpoint, either("INSECURE") == "" && either("CERTIFICATE") == "", nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		// Its text would show the whole URL, with a password that may be in it.
		return "", false, errors.New("parse OTEL_EXPORTER_OTLP_ENDPOINT: not a URL")
	}
	return u.Redacted(), false, nil
}

// either is the variable for traces or else the one for all signals.
func either(name string) string {
	if v := env("OTEL_EXPORTER_OTLP_TRACES_" + name); v != "" {
		return v
	}
	return env("OTEL_EXPORTER_OTLP_" + name)
}

func env(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// gRPC logs to stderr by itself; what matters of it is in the errors. It must
// be told before its first use, and can be made to speak by its own variable.
func init() {
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" {
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	}
}

// settingsLogger receives what the OpenTelemetry libraries say of variables
// that they cannot use. Their values stay out: a header holds credentials.
func settingsLogger(log *slog.Logger) logr.Logger {
	return logr.FromSlogHandler(withoutValues{log.Handler()})
}

type withoutValues struct{ slog.Handler }

func (h withoutValues) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (h withoutValues) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, slog.LevelWarn, "an OTEL_* setting is not usable: ignored", 0)
	out.AddAttrs(slog.String("step", r.Message))
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "file" {
			out.AddAttrs(a)
		}
		return true
	})
	return h.Handler.Handle(ctx, out)
}

func (h withoutValues) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h withoutValues) WithGroup(string) slog.Handler      { return h }
