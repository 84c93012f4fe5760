package prometheus

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Series is one of a query's answer: numbers, or native histograms.
type Series struct {
	Labels     map[string]string
	Points     []Point
	Histograms []Histogram
}

// Point is a number at a time.
type Point struct {
	At    time.Time
	Value float64
}

// Histogram is a native histogram at a time.
type Histogram struct {
	At         time.Time
	Count, Sum float64
	Buckets    int // that hold something
}

// Number says whether anything in the series is more than a gap: a number that
// is one, or a histogram.
func (s *Series) Number() bool {
	for _, p := range s.Points {
		if !math.IsNaN(p.Value) {
			return true
		}
	}
	return len(s.Histograms) > 0
}

// Exemplars are those of one series.
type Exemplars struct {
	Labels    map[string]string `json:"seriesLabels"`
	Exemplars []Exemplar        `json:"exemplars"`
}

// Exemplar is one observation, and what it is known by.
type Exemplar struct {
	Labels    map[string]string `json:"labels"`
	Value     float64           `json:"value,string"`
	Timestamp float64           `json:"timestamp"`
}

// Rule is a loaded rule.
type Rule struct {
	Name   string `json:"name"`
	Type   string `json:"type"`   // recording | alerting
	Health string `json:"health"` // ok | err | unknown
	Error  string `json:"lastError"`
	State  string `json:"state"` // of an alert: inactive | pending | firing
}

func parseResult(kind string, raw json.RawMessage) ([]Series, error) {
	switch kind {
	case "scalar":
		var p wirePoint
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, fmt.Errorf("read scalar: %w", err)
		}
		return []Series{{Points: []Point{Point(p)}}}, nil
	case "vector", "matrix":
		var all []wireSeries
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, fmt.Errorf("read %s: %w", kind, err)
		}
		out := make([]Series, len(all))
		for i := range all {
			out[i] = all[i].series()
		}
		return out, nil
	}
	return nil, fmt.Errorf("a result of type %q", kind)
}

// wireSeries is an element of a vector (value, histogram) or of a matrix.
type wireSeries struct {
	Metric     map[string]string `json:"metric"`
	Value      *wirePoint        `json:"value"`
	Values     []wirePoint       `json:"values"`
	Histogram  *wireHistogram    `json:"histogram"`
	Histograms []wireHistogram   `json:"histograms"`
}

func (w *wireSeries) series() Series {
	if w.Value != nil {
		w.Values = append(w.Values, *w.Value)
	}
	if w.Histogram != nil {
		w.Histograms = append(w.Histograms, *w.Histogram)
	}
	s := Series{Labels: w.Metric}
	for _, p := range w.Values {
		s.Points = append(s.Points, Point(p))
	}
	for _, h := range w.Histograms {
		s.Histograms = append(s.Histograms, Histogram(h))
	}
	return s
}

// wirePoint is [seconds, "number"].
type wirePoint Point

func (p *wirePoint) UnmarshalJSON(b []byte) error {
	var at float64
	var text string
	if err := json.Unmarshal(b, &[]any{&at, &text}); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(text, 64)
	*p = wirePoint{moment(at), v}
	return err
}

// wireHistogram is [seconds, {"count","sum","buckets"}].
type wireHistogram Histogram

func (h *wireHistogram) UnmarshalJSON(b []byte) error {
	var at float64
	var v struct {
		Count   float64 `json:"count,string"`
		Sum     float64 `json:"sum,string"`
		Buckets []any   `json:"buckets"`
	}
	if err := json.Unmarshal(b, &[]any{&at, &v}); err != nil {
		return err
	}
	*h = wireHistogram{moment(at), v.Count, v.Sum, len(v.Buckets)}
	return nil
}

func moment(s float64) time.Time { return time.UnixMilli(int64(math.Round(s * 1e3))) }
