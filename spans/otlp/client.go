package otlp

import (
	"context"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// client makes one attempt at a time to deliver spans; it does not retry. The
// sender does, for it knows when to stop and what to log.
type client interface {
	// upload returns what became of it. The spans are not referenced then.
	upload(ctx context.Context, rs []*tracepb.ResourceSpans) result
	stop(ctx context.Context)
}

func newClient(ctx context.Context, s settings, o Options) (client, error) {
	if s.protocol == protocolHTTP {
		return newHTTPClient(s, o.Version), nil
	}
	return newGRPCClient(ctx, s, o.Logger)
}
