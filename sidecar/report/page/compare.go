package page

import (
	"io"
	"slices"
	"strings"
)

// Comparison is what the page and the JSON of compare hold.
type Comparison struct {
	Version    string     `json:"tailspan"`
	SLO        int64      `json:"slo_ns"`
	Confidence float64    `json:"confidence"` // of the intervals
	Recordings []Compared `json:"recordings"` // changes are against the first
	CauseWords Words      `json:"cause_words"`
}

// Compared is one of what is compared: a recording, or several rounds of one thing.
type Compared struct {
	Name    string            `json:"name"`
	Sources []Source          `json:"sources"`
	Notices []string          `json:"notices"`
	Lost    map[string]uint64 `json:"lost"`
	// Of says what Latency and Slow are of: requests, or appends where the broker's
	// listeners are encrypted and no request could be read.
	Of         string      `json:"of"`
	Latency    Dist        `json:"latency"`
	Quantiles  []Quantile  `json:"quantiles"` // p50, p99, p999 and max of it
	Unanswered uint64      `json:"unanswered"`
	Slow       Slow        `json:"slow"`
	Share      ShareOfSlow `json:"share"`
	Writes     Dist        `json:"writes"`
	Waits      Dist        `json:"waits"`
	Commits    Dist        `json:"commits"`
	Causes     []Cause     `json:"causes"`
	Incidents  uint64      `json:"incidents"`
	// Longest is the length of the longest incident.
	Longest  int64         `json:"longest_incident_ns"`
	Timeline *TimelineData `json:"timeline,omitempty"` // from where each source begins
}

// Quantile is one with the interval in which it lies; nil: no bound.
type Quantile struct {
	Name string `json:"name"`
	NS   int64  `json:"ns"`
	Low  *int64 `json:"low_ns"`
	High *int64 `json:"high_ns"`
}

// ShareOfSlow is Slow.Count of all, with its interval, and by how much that is
// more or less than the first's: -0.82 is 82 % fewer. Differs says that the
// intervals of both have nothing in common.
type ShareOfSlow struct {
	Share   float64  `json:"share"`
	Low     float64  `json:"low"`
	High    float64  `json:"high"`
	Change  *float64 `json:"change"` // nil: the first itself, or the first has none
	Differs bool     `json:"differs"`
}

// Compare compares what Collectors have seen, by their names. Columns of time are
// of one width.
func Compare(version string, names []string, all []*Collector) *Comparison {
	c := &Comparison{Version: text(version), Confidence: Confidence, CauseWords: causeWords}
	var width int64
	for i, col := range all {
		c.SLO = int64(col.o.SLO)
		c.Recordings = append(c.Recordings, col.compared(names[i]))
		width = max(width, col.timeline.width)
	}
	for i, col := range all {
		r := &c.Recordings[i]
		t := col.timeline.copy()
		t.widen(width)
		data := t.data(0)
		r.Timeline = &data
		first := &c.Recordings[0].Share
		if i > 0 && first.Share > 0 {
			change := r.Share.Share/first.Share - 1
			r.Share.Change = &change
		}
		r.Share.Differs = i > 0 && (r.Share.Low > first.High || r.Share.High < first.Low)
	}
	return c
}

func (c *Collector) compared(name string) Compared {
	p := c.Page("")
	out := Compared{
		Name: text(name), Sources: p.Sources, Notices: p.Notices, Lost: p.Lost, Of: "requests",
		Latency: p.Requests, Unanswered: p.Unanswered, Slow: p.Slow, Writes: p.Writes, Waits: p.Waits, Commits: p.Commits,
		Causes: p.Causes, Incidents: uint64(len(p.Incidents)) + p.IncidentsDropped.Incidents,
	}
	of := &c.requests
	if p.Requests.Count == 0 && p.Appends.Count > 0 {
		of, out.Of, out.Latency, out.Slow = &c.appends, "appends", p.Appends, p.SlowAppend
	}
	f := of.copy().sort()
	out.Quantiles = []Quantile{
		f.quantile("p50", 500), f.quantile("p99", 990), f.quantile("p999", 999), {Name: "max", NS: f.max},
	}
	out.Share.Low, out.Share.High = wilson(out.Slow.Count, f.count)
	if f.count > 0 {
		out.Share.Share = float64(out.Slow.Count) / float64(f.count)
	}
	for i := range p.Incidents {
		out.Longest = max(out.Longest, p.Incidents[i].Length)
	}
	return out
}

// Figures is the comparison without its pictures: what scripts want.
func (c *Comparison) Figures() *Comparison {
	out := *c
	out.Recordings = slices.Clone(c.Recordings)
	for i := range out.Recordings {
		out.Recordings[i].Timeline = nil
	}
	return &out
}

// quantile is of a sorted one.
func (f *frozen) quantile(name string, thousandths uint64) Quantile {
	q := Quantile{Name: name, NS: f.at(rank(f.count, thousandths))}
	low, high := ranks(f.count, thousandths)
	if low >= 1 && low <= f.count {
		v := f.at(low)
		q.Low = &v
	}
	if high <= f.count {
		v := f.at(high)
		q.High = &v
	}
	return q
}

// Write writes the comparison as one HTML file that needs nothing else.
func (c *Comparison) Write(w io.Writer) error {
	names := make([]string, len(c.Recordings))
	for i := range c.Recordings {
		names[i] = c.Recordings[i].Name
	}
	return write(w, "compare", "Tailspan comparison: "+strings.Join(names, ", "), c)
}
