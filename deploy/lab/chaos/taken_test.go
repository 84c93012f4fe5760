package chaos

import (
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tailspan/tailspan/deploy/lab/sink"
)

// taken is what a collector took of produce requests.
type taken struct {
	requests map[string]bool // trace ids
	again    int             // requests that came more than once
	torn     int             // traces of which a span's parent did not come with it
}

// taken reads what a collector has, in all of its lives.
func takenBy(t *testing.T, p *sink.Process) taken {
	t.Helper()
	x := taken{requests: map[string]bool{}}
	err := p.Bodies(func(b []byte) error {
		var m collectorpb.ExportTraceServiceRequest
		if err := proto.Unmarshal(b, &m); err != nil {
			return err
		}
		for id, spans := range byTrace(&m) {
			x.add(id, spans)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// byTrace are the spans of a message: a trace comes whole in one.
func byTrace(m *collectorpb.ExportTraceServiceRequest) map[string][]*tracepb.Span {
	all := map[string][]*tracepb.Span{}
	for _, r := range m.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, span := range s.Spans {
				all[string(span.TraceId)] = append(all[string(span.TraceId)], span)
			}
		}
	}
	return all
}

func (x *taken) add(id string, spans []*tracepb.Span) {
	known := map[string]bool{}
	for _, s := range spans {
		known[string(s.SpanId)] = true
	}
	for _, s := range spans {
		if len(s.ParentSpanId) > 0 && !known[string(s.ParentSpanId)] {
			x.torn++
			break
		}
	}
	for _, s := range spans {
		if s.Kind == tracepb.Span_SPAN_KIND_SERVER {
			if x.requests[id] {
				x.again++
			}
			x.requests[id] = true
		}
	}
}
