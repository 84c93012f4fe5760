package otlp

import "context"

// client makes one attempt at a time to deliver spans; it does not retry. The
// sender does, for it knows when to stop and what to log.
type client interface {
	// upload sends an ExportTraceServiceRequest, and returns what became of it.
	// The request may still be read then.
	upload(ctx context.Context, request []byte) result
	stop(ctx context.Context)
}

func newClient(ctx context.Context, s settings, o Options) (client, error) {
	if s.protocol == protocolHTTP {
		return newHTTPClient(s, o.Version), nil
	}
	return newGRPCClient(ctx, s, o.Logger)
}
