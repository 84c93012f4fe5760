package canary

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// withoutLinks are lines of --print traces --format jsonl whose spans have no
// links.
func withoutLinks(t *testing.T, lines []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for line := range bytes.Lines(lines) {
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatalf("%v in %.200q", err, line)
		}
		spans, _ := row["spans"].([]any)
		for _, s := range spans {
			delete(s.(map[string]any), "links")
		}
		b, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(b, '\n'))
	}
	return out.Bytes()
}

// linkOfTable is how a picture says where a link leads to.
var linkOfTable = regexp.MustCompile(`trace [0-9a-f]{32}`)

// spansWithoutLinks is a request of OTLP whose spans have no links.
func spansWithoutLinks(t *testing.T, body []byte) []byte {
	t.Helper()
	var m collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	for _, r := range m.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, span := range s.Spans {
				span.Links = nil
			}
		}
	}
	b, err := proto.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
