package jaeger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Client asks a Jaeger's query API.
type Client struct {
	URL string // http://127.0.0.1:16686
}

// Trace is a trace as the API gives it; times are whole microseconds.
type Trace struct {
	ID    string `json:"traceID"`
	Spans []Span `json:"spans"`
}

// Span is a span of a Trace.
type Span struct {
	TraceID    string      `json:"traceID"`
	ID         string      `json:"spanID"`
	Name       string      `json:"operationName"`
	References []Reference `json:"references"`
	Start      int64       `json:"startTime"` // µs since 1970
	Duration   int64       `json:"duration"`  // µs
	Tags       []Tag       `json:"tags"`
	Warnings   []string    `json:"warnings"`
}

// Reference is a parent (CHILD_OF) or a link (FOLLOWS_FROM).
type Reference struct {
	Type    string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

// Tag is an attribute.
type Tag struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// End is the span's end, in µs since 1970.
func (s *Span) End() int64 { return s.Start + s.Duration }

// Tag is the attribute's value as text, "" if there is none.
func (s *Span) Tag(key string) string {
	for _, t := range s.Tags {
		if t.Key == key {
			return fmt.Sprint(t.Value)
		}
	}
	return ""
}

// Parent is the id of the span's parent, "" for a root.
func (s *Span) Parent() string {
	for _, r := range s.References {
		if r.Type == "CHILD_OF" {
			return r.SpanID
		}
	}
	return ""
}

// Links are the span's references that are no parent.
func (s *Span) Links() []Reference {
	var links []Reference
	for _, r := range s.References {
		if r.Type != "CHILD_OF" {
			links = append(links, r)
		}
	}
	return links
}

// Root is the trace's span without a parent, nil if there is none.
func (t *Trace) Root() *Span {
	for i := range t.Spans {
		if t.Spans[i].Parent() == "" {
			return &t.Spans[i]
		}
	}
	return nil
}

// Span is the trace's span of this id, nil if there is none.
func (t *Trace) Span(id string) *Span {
	for i := range t.Spans {
		if t.Spans[i].ID == id {
			return &t.Spans[i]
		}
	}
	return nil
}

// Children are the spans directly below this one.
func (t *Trace) Children(id string) []*Span {
	var below []*Span
	for i := range t.Spans {
		if t.Spans[i].Parent() == id {
			below = append(below, &t.Spans[i])
		}
	}
	return below
}

// Query selects traces; what is zero does not matter.
type Query struct {
	Service, Operation string
	MinDuration        time.Duration
	Tags               map[string]string
	Start, End         time.Time
	Limit              int // 0: 1,500
}

// ErrNotFound says that Jaeger does not have the trace.
var ErrNotFound = errors.New("jaeger has no such trace")

// Trace asks for one trace.
func (c Client) Trace(ctx context.Context, id string) (*Trace, error) {
	traces, err := c.get(ctx, "/api/traces/"+url.PathEscape(id))
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", id, err)
	}
	if len(traces) == 0 {
		return nil, fmt.Errorf("trace %s: %w", id, ErrNotFound)
	}
	return &traces[0], nil
}

// Find searches.
func (c Client) Find(ctx context.Context, q Query) ([]Trace, error) {
	v := url.Values{"service": {q.Service}, "limit": {strconv.Itoa(orDefault(q.Limit, 1500))}}
	if q.Operation != "" {
		v.Set("operation", q.Operation)
	}
	if q.MinDuration > 0 {
		v.Set("minDuration", q.MinDuration.String())
	}
	if len(q.Tags) > 0 {
		b, err := json.Marshal(q.Tags)
		if err != nil {
			return nil, err
		}
		v.Set("tags", string(b))
	}
	end := q.End
	if end.IsZero() {
		end = time.Now()
	}
	v.Set("start", strconv.FormatInt(max(0, q.Start.UnixMicro()), 10))
	v.Set("end", strconv.FormatInt(end.UnixMicro(), 10))
	return c.get(ctx, "/api/traces?"+v.Encode())
}

func orDefault(n, d int) int {
	if n == 0 {
		return d
	}
	return n
}

// once keeps no connection: an idle one holds up Jaeger's end.
var once = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// answerBytes bounds an answer of the API.
const answerBytes = 256 << 20

func (c Client) get(ctx context.Context, path string) ([]Trace, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := once.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask jaeger: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	if err != nil {
		return nil, fmt.Errorf("ask jaeger: %w", err)
	}
	if resp.StatusCode == http.StatusNotFound {
		return nil, ErrNotFound
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask jaeger: %s: %.200s", resp.Status, body)
	}
	var answer struct {
		Data []Trace `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read jaeger's answer: %w", err)
	}
	return answer.Data, nil
}
