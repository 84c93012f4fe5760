package otlp

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// TLS with a CA of one's own and a client's certificate, and without the one
// or the other.
func TestTLS(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	pair, _, _ := ca.issue(t)
	_, cert, key := ca.issue(t)
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool}
	ports := map[string]string{
		protocolGRPC: listenTLS(t, config),
		protocolHTTP: strings.TrimPrefix(serve(t, config.Clone()).url, "https://127.0.0.1:"),
	}
	for _, c := range []struct {
		name, ca, cert, key string
		exported            uint64
	}{
		{"all is well", ca.file, cert, key, 1}, {"no client certificate", ca.file, "", "", 0},
		{"wrong CA", other.file, cert, key, 0}, {"no CA", "", cert, key, 0},
	} {
		for protocol, port := range ports {
			t.Run(c.name+" "+protocol, func(t *testing.T) {
				t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
				t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://localhost:"+port)
				t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", c.ca)
				t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", c.cert)
				t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", c.key)
				e, log := connect(t, "x", Options{})
				e.Export(fiveSpans(1))
				flush(e, 5*time.Second)
				s := e.Stats()
				balanced(t, s)
				if s.Exported.Traces != c.exported || s.Exported.Traces+s.Undelivered.Traces != 1 {
					t.Errorf("%+v\n%s", s, log)
				}
				if c.cert != "" && c.exported == 0 && log.lines("OTEL_EXPORTER_OTLP_CERTIFICATE") != 1 {
					t.Errorf("no advice:\n%s", log)
				}
			})
		}
	}
}

// listenTLS starts a gRPC collector, and returns its port.
func listenTLS(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(config.Clone())))
	collectorpb.RegisterTraceServiceServer(s, &collector{answer: accept})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
