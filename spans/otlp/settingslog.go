package otlp

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"google.golang.org/grpc/grpclog"
)

// notUsable is said of a variable that is ignored. Its value is not: a header
// holds credentials.
const notUsable = "an OTEL_* setting is not usable: ignored"

func ignored(log *slog.Logger, step string) { log.Warn(notUsable, "step", step) }

// gRPC logs to stderr by itself; what matters of it is in the errors. It must
// be told before its first use, and can be made to speak by its own variable.
func init() {
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" {
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	}
}

// SettingsLogger receives what the OpenTelemetry libraries say of variables
// that they cannot use. They have one logger for traces and metrics.
func SettingsLogger(log *slog.Logger) logr.Logger {
	return logr.FromSlogHandler(withoutValues{log.Handler()})
}

type withoutValues struct{ slog.Handler }

func (h withoutValues) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (h withoutValues) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, slog.LevelWarn, notUsable, 0)
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
