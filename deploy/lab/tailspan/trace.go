package tailspan

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// jsonTrace is a line of --print traces.
type jsonTrace struct {
	ID    string     `json:"trace_id"`
	Spans []jsonSpan `json:"spans"`
}

type jsonSpan struct {
	ID         string         `json:"span_id"`
	Parent     *string        `json:"parent_id"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Start      int64          `json:"start_ns"`
	End        int64          `json:"end_ns"`
	Attributes map[string]any `json:"attributes"`
	Links      []jsonLink     `json:"links"`
}

type jsonLink struct {
	Trace      string         `json:"trace_id"`
	Span       string         `json:"span_id"`
	Attributes map[string]any `json:"attributes"`
}

// ParseTrace reads a line of --print traces.
func ParseTrace(line []byte) (*spans.Trace, error) {
	var j jsonTrace
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&j); err != nil {
		return nil, fmt.Errorf("parse trace: %w", err)
	}
	if len(j.Spans) == 0 {
		return nil, fmt.Errorf("parse trace: %s has no span", j.ID)
	}
	t := &spans.Trace{Spans: make([]spans.Span, len(j.Spans))}
	if err := ParseID(t.ID[:], j.ID); err != nil {
		return nil, err
	}
	for i := range j.Spans {
		if err := j.Spans[i].into(&t.Spans[i]); err != nil {
			return nil, fmt.Errorf("trace %s: %w", j.ID, err)
		}
	}
	return t, nil
}

func (j *jsonSpan) into(s *spans.Span) error {
	s.Name, s.Start, s.End = j.Name, j.Start, j.End
	if j.Kind == spans.Server.String() {
		s.Kind = spans.Server
	}
	if err := ParseID(s.ID[:], j.ID); err != nil {
		return err
	}
	if j.Parent != nil && *j.Parent != "" {
		if err := ParseID(s.Parent[:], *j.Parent); err != nil {
			return err
		}
	}
	for k, v := range j.Attributes {
		s.Attributes = append(s.Attributes, Attribute(k, v))
	}
	for _, jl := range j.Links {
		var l spans.Link
		if err := ParseID(l.Trace[:], jl.Trace); err != nil {
			return err
		}
		if err := ParseID(l.Span[:], jl.Span); err != nil {
			return err
		}
		for k, v := range jl.Attributes {
			l.Attributes = append(l.Attributes, Attribute(k, v))
		}
		s.Links = append(s.Links, l)
	}
	return nil
}

// ParseID reads a hexadecimal id that must fill dst.
func ParseID(dst []byte, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(dst) {
		return fmt.Errorf("parse id %q: want %d bytes of hex", text, len(dst))
	}
	copy(dst, b)
	return nil
}

// Attribute turns a value as encoding/json gives it into an attribute.
func Attribute(key string, v any) attribute.KeyValue {
	switch v := v.(type) {
	case string:
		return attribute.String(key, v)
	case bool:
		return attribute.Bool(key, v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return attribute.Int64(key, n)
		}
		f, _ := v.Float64()
		return attribute.Float64(key, f)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return attribute.Int64(key, int64(v))
		}
		return attribute.Float64(key, v)
	case []any:
		return list(key, v)
	default:
		return attribute.String(key, fmt.Sprint(v))
	}
}

func list(key string, v []any) attribute.KeyValue {
	texts, numbers := []string{}, []int64{}
	for _, e := range v {
		texts = append(texts, fmt.Sprint(e))
		if n, ok := e.(json.Number); ok {
			if i, err := n.Int64(); err == nil {
				numbers = append(numbers, i)
			}
		}
	}
	if len(v) > 0 && len(numbers) == len(v) {
		return attribute.Int64Slice(key, numbers)
	}
	return attribute.StringSlice(key, texts)
}
