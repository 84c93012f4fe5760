package page

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
)

const (
	worstThreads = 50
	worstTopics  = 100
)

// Page is what a page shows, as JSON in it. Instants are ns from Origin.
type Page struct {
	Version string            `json:"tailspan"`
	Sources []Source          `json:"sources"`
	Notices []string          `json:"notices"`
	Lost    map[string]uint64 `json:"lost"`           // what could not be seen
	Origin  string            `json:"origin_unix_ns"` // digits: too many for a JavaScript number
	Length  int64             `json:"length_ns"`
	SLO     int64             `json:"slo_ns"`

	Requests   Dist   `json:"requests"`
	Appends    Dist   `json:"appends"` // of which no request could be read
	Writes     Dist   `json:"writes"`
	Waits      Dist   `json:"waits"`
	Commits    Dist   `json:"commits"`
	Unanswered uint64 `json:"unanswered"` // requests without an end; not among Requests
	Slow       Slow   `json:"slow"`       // requests
	SlowAppend Slow   `json:"slow_appends"`

	Causes      []Cause      `json:"causes"`
	CauseWords  Words        `json:"cause_words"`
	Topics      []Topic      `json:"topics"`
	TopicCount  int          `json:"topic_count"`
	Threads     []Thread     `json:"threads"`
	ThreadCount int          `json:"thread_count"`
	Timeline    TimelineData `json:"timeline"`

	Incidents        []Incident `json:"incidents"`
	IncidentsDropped dropped    `json:"incidents_dropped"`
	IncidentsFlat    int        `json:"incidents_flat"` // without a picture, for want of room

	Traces        []Trace  `json:"traces"`
	TracesOmitted int      `json:"traces_omitted"`
	LinksMissed   uint64   `json:"links_missed"`
	Strings       []string `json:"strings"`
	LinkWords     Words    `json:"link_words"`
}

// Words say what the keys mean.
type Words map[string]string

// Source is where the rows came from.
type Source struct {
	Name     string `json:"name"`
	Requests uint64 `json:"requests"`
	Slow     uint64 `json:"slow"`
}

// Dist is how long things took.
type Dist struct {
	Count uint64 `json:"count"`
	NS    int64  `json:"ns"`
	P50   int64  `json:"p50_ns"`
	P90   int64  `json:"p90_ns"`
	P99   int64  `json:"p99_ns"`
	P999  int64  `json:"p999_ns"`
	Max   int64  `json:"max_ns"`
	// Error is how far the percentiles may be off, as a share: 0 for not at all.
	Error float64 `json:"error,omitempty"`
}

// Topic is what its requests came to. Percentiles are missing where there are
// too many latencies to keep each.
type Topic struct {
	Name     string `json:"name"`
	Requests uint64 `json:"requests"`
	Records  int64  `json:"records"`
	Bytes    int64  `json:"bytes"`
	Errors   uint64 `json:"errors"`
	Slow     Slow   `json:"slow"`
	P50      *int64 `json:"p50_ns"`
	P99      *int64 `json:"p99_ns"`
	Max      *int64 `json:"max_ns"`
}

// TimelineData is the timeline: of each column what is not nothing.
type TimelineData struct {
	Width   int64        `json:"width_ns"`
	Edges   []int64      `json:"edges_ns"` // row i lies between Edges[i-1] and Edges[i]
	Columns []ColumnData `json:"columns"`
}

// ColumnData is one column: Cells has, by series, row and count by turns.
type ColumnData struct {
	At    int64      `json:"at"`
	Slow  uint64     `json:"slow,omitempty"`
	Max   []int64    `json:"max"`
	Cells [][]uint64 `json:"cells"`
}

// Page is what is known by now.
func (c *Collector) Page(version string) *Page {
	p, sorts := c.snapshot(version)
	for _, sort := range sorts { // what takes long is done without the lock
		sort()
	}
	return p
}

// snapshot fills a page in, but for what the functions will add that it returns.
func (c *Collector) snapshot(version string) (*Page, []func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	origin, end := c.from, c.to
	if origin > end {
		origin, end = 0, 0
	}
	p := &Page{
		Version: text(version), Sources: slices.Clone(c.sources), Notices: append([]string{}, c.notices...), Lost: map[string]uint64{},
		Origin: strconv.FormatInt(origin, 10), Length: end - origin, SLO: int64(c.o.SLO),
		Unanswered: c.unanswered, Slow: c.slow, SlowAppend: c.slowAppends,
		Causes: c.causes.list(), CauseWords: causeWords,
		Threads: c.threads.worst(worstThreads), ThreadCount: len(c.threads), TopicCount: len(c.topics),
		IncidentsDropped: c.incidents.dropped, LinkWords: linkWords, LinksMissed: c.keeper.missed,
	}
	for _, lost := range []map[string]uint64{c.lost, c.lostNow} {
		for what, n := range lost {
			p.Lost[text(what)] += n
		}
	}
	for i := range p.Sources {
		p.Sources[i].Name = text(p.Sources[i].Name)
	}
	for i := range p.Threads {
		p.Threads[i].Name = text(p.Threads[i].Name)
	}
	topics := maps.Clone(c.topics)
	for k, t := range topics {
		u := *t
		topics[k] = &u
	}
	requests, timeline := c.requests.copy(), c.timeline.copy()
	fill := []func(){
		func() { p.Requests = requests.sort().dist(); p.Topics = topics.worst(requests) },
		func() { p.Timeline = timeline.data(timeOrigin(c.o.Relative, origin)) },
	}
	for _, d := range []struct {
		to *Dist
		of *latencies
	}{{&p.Appends, &c.appends}, {&p.Writes, &c.writes}, {&p.Waits, &c.waits}, {&p.Commits, &c.commits}} {
		f := d.of.copy()
		fill = append(fill, func() { *d.to = f.sort().dist() })
	}
	fill = append(fill, c.details(p, origin))
	return p, fill
}

func timeOrigin(relative bool, origin int64) int64 {
	if relative {
		return 0
	}
	return origin
}

// dist is of a sorted one.
func (f *frozen) dist() Dist {
	d := Dist{Count: f.count, NS: f.sum, Max: f.max}
	for _, q := range []struct {
		to          *int64
		thousandths uint64
	}{{&d.P50, 500}, {&d.P90, 900}, {&d.P99, 990}, {&d.P999, 999}} {
		*q.to = f.at(rank(f.count, q.thousandths))
	}
	if !f.exact() {
		d.Error = HistogramError
	}
	return d
}

// worst are the topics that lost the most, then the slowest of the others.
func (t topics) worst(f *frozen) []Topic {
	all := make([]Topic, 0, len(t))
	for name, x := range t {
		y := Topic{Name: text(name), Requests: x.requests, Records: x.records, Bytes: x.bytes, Errors: x.errors, Slow: x.slow}
		if values := f.group(x.group); len(values) > 0 {
			at := func(thousandths uint64) *int64 {
				v := int64(values[rank(uint64(len(values)), thousandths)-1] & maxValue)
				return &v
			}
			y.P50, y.P99, y.Max = at(500), at(990), at(1000)
		}
		all = append(all, y)
	}
	slices.SortFunc(all, func(a, b Topic) int {
		return cmp.Or(cmp.Compare(b.Slow.Lost, a.Slow.Lost), cmp.Compare(orNone(b.Max), orNone(a.Max)), cmp.Compare(a.Name, b.Name))
	})
	return all[:min(len(all), worstTopics)]
}

func orNone(n *int64) int64 {
	if n == nil {
		return math.MinInt64
	}
	return *n
}

// data leaves out what is empty.
func (t *timeline) data(origin int64) TimelineData {
	d := TimelineData{Width: t.width, Edges: rowEdges[:], Columns: []ColumnData{}}
	for i := range t.columns {
		c := &t.columns[i]
		col := ColumnData{At: (t.first+int64(i))*t.width - origin, Slow: c.slow, Max: c.max[:], Cells: make([][]uint64, seriesCount)}
		any := false
		for s := range c.cells {
			col.Cells[s] = []uint64{}
			for row, n := range c.cells[s] {
				if n > 0 {
					col.Cells[s] = append(col.Cells[s], uint64(row), n)
					any = true
				}
			}
		}
		if any {
			d.Columns = append(d.Columns, col)
		}
	}
	return d
}
