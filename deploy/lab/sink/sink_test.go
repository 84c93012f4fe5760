package sink

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// send sends one span of this name.
func send(t *testing.T, endpoint, name string) error {
	t.Helper()
	c := otlptracegrpc.NewClient(otlptracegrpc.WithEndpointURL(endpoint), otlptracegrpc.WithHeaders(map[string]string{"secret": "word"}),
		otlptracegrpc.WithCompressor("gzip"), otlptracegrpc.WithTimeout(500*time.Millisecond),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}))
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer c.Stop(t.Context())
	return c.UploadTraces(t.Context(), []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{Name: name}}}}}})
}

func spanOf(t *testing.T, body []byte) string {
	t.Helper()
	var m collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return m.ResourceSpans[0].ScopeSpans[0].Spans[0].Name
}

func TestSink(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if err := send(t, s.Endpoint(), "a span"); err != nil {
		t.Fatal(err)
	}
	got := s.Messages()
	if len(got) != 1 || spanOf(t, got[0].Body) != "a span" || !strings.HasSuffix(got[0].Path, "TraceService/Export") || !strings.Contains(got[0].Header, "word") {
		t.Errorf("%+v", got)
	}
}

// TestProcess: what it said to have taken outlives its kill, and nothing is
// taken while it is held or dead.
func TestProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds (-short)")
	}
	address, err := child.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Spawn(t.Context(), address, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.Kill() }()
	sent := []string{}
	try := func(works bool) {
		t.Helper()
		name := fmt.Sprint("span ", len(sent))
		err := send(t, "http://"+address, name)
		if (err == nil) != works {
			t.Fatalf("%s: %v", name, err)
		}
		if works {
			sent = append(sent, name)
		}
	}
	try(true)
	p.Kill()
	try(false)
	if err := p.Again(t.Context()); err != nil {
		t.Fatal(err)
	}
	try(true)
	if err := p.Hold(); err != nil {
		t.Fatal(err)
	}
	try(false)
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	try(true)
	var got []string
	if err := p.Bodies(func(b []byte) error { got = append(got, spanOf(t, bytes.Clone(b))); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) < len(sent) || got[0] != sent[0] || got[len(got)-1] != sent[len(sent)-1] {
		t.Errorf("took %q, sent %q", got, sent)
	}
}
