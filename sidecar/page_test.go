package sidecar

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/recording"
	"github.com/tailspan/tailspan/sidecar/report/page"
)

const pageSLO = 10 * time.Millisecond // more of the demo is slow than by 65 ms

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// embedded takes the data out of a page.
func embedded[T any](t *testing.T, html []byte) (data T) {
	t.Helper()
	const from, to = `<script type="application/json" id="data">`, `</script>`
	_, rest, ok := bytes.Cut(html, []byte(from))
	text, _, end := bytes.Cut(rest, []byte(to))
	if !ok || !end {
		t.Fatal("the page has no data")
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	return data
}

func reportOf(t *testing.T, c config.Config) *page.Page {
	t.Helper()
	var b bytes.Buffer
	c.Page, c.SLO = "-", cmp.Or(c.SLO, pageSLO)
	if err := Report(context.Background(), Options{Config: c, Logger: quiet, Stdout: &b, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	p := embedded[page.Page](t, b.Bytes())
	return &p
}

// rowsOf are what `replay --print KIND --format jsonl` gives.
func rowsOf[T any](t *testing.T, kind, path string) (all []T) {
	t.Helper()
	out, _ := replayed(t, path, config.Config{Print: kind})
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var row T
		if err := d.Decode(&row); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
}

// distOf is the textbook's: sorted, nearest rank.
func distOf(ns []int64) (d page.Dist) {
	slices.Sort(ns)
	at := func(p float64) int64 {
		if len(ns) == 0 {
			return 0
		}
		return ns[max(int(math.Ceil(p*float64(len(ns))-1e-9)), 1)-1]
	}
	d = page.Dist{Count: uint64(len(ns)), P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), Max: at(1)}
	for _, n := range ns {
		d.NS += n
	}
	return d
}

func latenciesOf[T any](rows []T, of func(*T) int64) (all []int64) {
	for i := range rows {
		all = append(all, of(&rows[i]))
	}
	return all
}

func slowOf(rows []assemble.RequestRow, slo int64) (s page.Slow) {
	for i := range rows {
		if ns := rows[i].Latency; ns != nil && *ns >= slo {
			s.Count++
			s.NS += *ns
			s.Lost += *ns - slo
			s.Max = max(s.Max, *ns)
		}
	}
	return s
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// Every number of a page is what the rows of a replay of the same recording say.
func TestPageNumbers(t *testing.T) {
	path := unpack(t)
	p := reportOf(t, config.Config{Args: []string{path}})
	requests := rowsOf[assemble.RequestRow](t, "requests", path)
	writes := rowsOf[assemble.WriteRow](t, "writes", path)
	waits := rowsOf[assemble.WaitRow](t, "waits", path)
	commits := rowsOf[assemble.CommitRow](t, "commits", path)
	slo := int64(pageSLO)

	equal(t, "requests", p.Requests, distOf(latenciesOf(requests, func(r *assemble.RequestRow) int64 { return *r.Latency })))
	equal(t, "writes", p.Writes, distOf(latenciesOf(writes, func(r *assemble.WriteRow) int64 { return r.Latency })))
	equal(t, "waits", p.Waits, distOf(latenciesOf(waits, func(r *assemble.WaitRow) int64 { return r.Latency })))
	equal(t, "commits", p.Commits, distOf(latenciesOf(commits, func(r *assemble.CommitRow) int64 { return r.Latency })))
	equal(t, "slow", p.Slow, slowOf(requests, slo))
	if p.Slow.Count < 100 || p.Sources[0].Requests != uint64(len(requests)) || p.Sources[0].Slow != p.Slow.Count {
		t.Errorf("%+v, %+v", p.Slow, p.Sources)
	}

	sameCauses(t, p.Causes, requests, slo)
	sameTopics(t, p.Topics, requests, slo)
	sameThreads(t, p.Threads, writes, waits)
	sameTimeline(t, p, requests, writes, commits, slo)
	sameIncidents(t, p, requests, writes, commits, slo)
	sameLanes(t, p, writes, waits)
	sameTraces(t, p, path)
}

func sameCauses(t *testing.T, got []page.Cause, rows []assemble.RequestRow, slo int64) {
	type key struct{ root, reason string }
	by := map[key][]assemble.RequestRow{}
	for _, r := range rows {
		k := key{root: r.RootCause}
		if r.WaitReason != nil {
			k.reason = *r.WaitReason
		}
		if *r.Latency >= slo {
			by[k] = append(by[k], r)
		}
	}
	equal(t, "causes", len(got), len(by))
	for _, c := range got {
		equal(t, "cause "+c.Root+" "+c.Reason, c.Slow, slowOf(by[key{c.Root, c.Reason}], slo))
	}
}

func sameTopics(t *testing.T, got []page.Topic, rows []assemble.RequestRow, slo int64) {
	by := map[string][]assemble.RequestRow{}
	for _, r := range rows {
		name := r.Partitions[0].Topic
		for _, p := range r.Partitions {
			if p.Topic != name {
				name = "(several topics)"
			}
		}
		by[name] = append(by[name], r)
	}
	equal(t, "topics", len(got), len(by))
	for _, x := range got {
		mine := by[x.Name]
		d := distOf(latenciesOf(mine, func(r *assemble.RequestRow) int64 { return *r.Latency }))
		var records, bytes int64
		for _, r := range mine {
			for _, p := range r.Partitions {
				records, bytes = records+int64(p.Records), bytes+int64(p.Bytes)
			}
		}
		equal(t, x.Name, [6]int64{int64(x.Requests), x.Records, x.Bytes, *x.P50, *x.P99, *x.Max}, [6]int64{int64(d.Count), records, bytes, d.P50, d.P99, d.Max})
		equal(t, x.Name+" slow", x.Slow, slowOf(mine, slo))
	}
}

func sameThreads(t *testing.T, got []page.Thread, writes []assemble.WriteRow, waits []assemble.WaitRow) {
	want := map[int32]*page.Thread{}
	of := func(tid int32) *page.Thread {
		if want[tid] == nil {
			want[tid] = &page.Thread{TID: tid}
		}
		return want[tid]
	}
	for _, w := range writes {
		x := &of(w.TID).Writes
		x.Count, x.NS, x.Max = x.Count+1, x.NS+w.Latency, max(x.Max, w.Latency)
	}
	for _, w := range waits {
		x := &of(w.TID).Waits
		x.Count, x.NS, x.Max = x.Count+1, x.NS+w.Latency, max(x.Max, w.Latency)
		for _, h := range w.Holders {
			of(h.TID).Held += h.NS
		}
	}
	equal(t, "threads", len(got), len(want))
	for _, x := range got {
		name := x.Name
		x.Name, x.PID = "", 0
		equal(t, name, x, *want[x.TID])
	}
}

// sameTimeline puts each row into its cell by what the page says of edges and
// columns.
func sameTimeline(t *testing.T, p *page.Page, requests []assemble.RequestRow, writes []assemble.WriteRow, commits []assemble.CommitRow, slo int64) {
	origin, err := strconv.ParseInt(p.Origin, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	type cell struct {
		at  int64
		of  int
		row uint64
	}
	want, slow, most := map[cell]uint64{}, map[int64]uint64{}, map[cell]int64{}
	add := func(of int, end, ns int64) {
		row := uint64(0)
		for row < uint64(len(p.Timeline.Edges)) && p.Timeline.Edges[row] <= ns {
			row++
		}
		at := end/p.Timeline.Width*p.Timeline.Width - origin
		want[cell{at, of, row}]++
		most[cell{at, of, 0}] = max(most[cell{at, of, 0}], ns)
		if of == 0 && ns >= slo {
			slow[at]++
		}
	}
	for _, r := range requests {
		add(0, *r.End, *r.Latency)
	}
	for _, w := range writes {
		add(2, w.End, w.Latency)
	}
	for _, c := range commits {
		add(3, c.End, c.Latency)
	}
	for _, c := range p.Timeline.Columns {
		equal(t, "slow of a column", c.Slow, slow[c.At])
		for s, cells := range c.Cells {
			equal(t, "slowest of a column", c.Max[s], most[cell{c.At, s, 0}])
			for i := 0; i < len(cells); i += 2 {
				k := cell{c.At, s, cells[i]}
				equal(t, "a cell", cells[i+1], want[k])
				delete(want, k)
			}
		}
	}
	equal(t, "cells that the page lacks", len(want), 0)
}

// sameIncidents joins slow requests as the page says that it does.
func sameIncidents(t *testing.T, p *page.Page, requests []assemble.RequestRow, writes []assemble.WriteRow, commits []assemble.CommitRow, slo int64) {
	origin, _ := strconv.ParseInt(p.Origin, 10, 64)
	slices.SortFunc(requests, func(a, b assemble.RequestRow) int { return cmp.Compare(a.Arrival, b.Arrival) })
	var groups [][]assemble.RequestRow
	end := int64(math.MinInt64)
	for _, r := range requests {
		if *r.Latency < slo {
			continue
		}
		if len(groups) == 0 || r.Arrival > end+int64(50*time.Millisecond) {
			groups, end = append(groups, nil), math.MinInt64
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], r)
		end = max(end, *r.End)
	}
	if len(groups) != len(p.Incidents) {
		t.Fatalf("%d incidents, want %d", len(p.Incidents), len(groups))
	}
	for i, g := range groups {
		x := &p.Incidents[i]
		end := g[0].Arrival
		for _, r := range g {
			end = max(end, *r.End)
		}
		name := "incident " + strconv.Itoa(x.Number)
		equal(t, name, [3]int64{int64(x.Number), x.Start, x.Length}, [3]int64{int64(i) + 1, g[0].Arrival - origin, end - g[0].Arrival})
		equal(t, name, x.Slow, slowOf(g, slo))
		sameCauses(t, x.Causes, g, slo)
		var count, ns, held int64
		for _, w := range writes {
			if w.Latency >= int64(200*time.Microsecond) && w.End >= g[0].Arrival && w.Start <= end {
				count, ns = count+1, ns+w.Latency
			}
		}
		equal(t, name+": writes", [2]int64{int64(x.WriteCount), x.WriteNS}, [2]int64{count, ns})
		for _, c := range commits {
			if c.Latency >= int64(200*time.Microsecond) && c.End >= g[0].Arrival && c.Start <= end {
				held++
			}
		}
		equal(t, name+": commits", int64(x.CommitCount), held)
	}
}

// sameLanes holds what threads did to the rows: a thread that writes does so,
// whatever else is said of it, and then comes a wait for a lock.
func sameLanes(t *testing.T, p *page.Page, writes []assemble.WriteRow, waits []assemble.WaitRow) {
	origin, _ := strconv.ParseInt(p.Origin, 10, 64)
	const least = int64(200 * time.Microsecond)
	lanes := 0
	for _, x := range p.Incidents {
		from := x.Lanes.Start + origin
		to := from + x.Lanes.Length
		for _, lane := range x.Lanes.Lanes {
			var wrote, both [][2]int64
			for _, w := range writes {
				if w.TID == lane.TID && w.Latency >= least && w.End > from && w.Start < to {
					wrote = append(wrote, [2]int64{max(w.Start, from), min(w.End, to)})
				}
			}
			both = slices.Clone(wrote)
			for _, w := range waits {
				if w.TID == lane.TID && w.Latency >= least && w.End > from && w.Start < to {
					both = append(both, [2]int64{max(w.Start, from), min(w.End, to)})
				}
			}
			writing, locked := covered(wrote), covered(both)-covered(wrote)
			equal(t, "incident "+strconv.Itoa(x.Number)+", "+lane.Name, [2]int64{lane.Totals[0], lane.Totals[2]}, [2]int64{writing, locked})
			drawn := int64(0)
			for i := 2; i < len(lane.Segments); i += 3 {
				drawn += lane.Segments[i]
			}
			all := int64(0)
			for _, n := range lane.Totals {
				all += n
			}
			equal(t, lane.Name+": drawn", drawn, all)
			lanes++
		}
	}
	if lanes < 10 {
		t.Errorf("%d lanes", lanes)
	}
}

// covered is how long at least one of the stretches lasts.
func covered(all [][2]int64) (ns int64) {
	slices.SortFunc(all, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	end := int64(math.MinInt64)
	for _, s := range all {
		if s[1] > end {
			ns += s[1] - max(s[0], end)
			end = s[1]
		}
	}
	return ns
}

// sameTraces holds the page's waterfalls to those of --print traces.
func sameTraces(t *testing.T, p *page.Page, path string) {
	want := map[string]jsonTrace{}
	for _, tr := range rowsOf[jsonTrace](t, "traces", path) {
		want[tr.ID] = tr
	}
	origin, _ := strconv.ParseInt(p.Origin, 10, 64)
	slow := 0
	for _, got := range p.Traces {
		w := want[got.ID]
		equal(t, "spans of "+got.ID, len(got.Spans), len(w.Spans))
		for i := range min(len(got.Spans), len(w.Spans)) {
			g, w := &got.Spans[i], &w.Spans[i]
			equal(t, "a span", [2]int64{g.Start, g.NS}, [2]int64{w.Start - origin, w.End - w.Start})
			equal(t, "its name", p.Strings[g.Name], w.Name)
			equal(t, "its attributes", len(g.Values), 2*len(w.Attributes))
			equal(t, "its links", len(g.Links), len(w.Links))
			for j, l := range g.Links {
				equal(t, "a link", p.Strings[l.Trace], w.Links[j].Trace)
				if l.Span >= 0 && want[w.Links[j].Trace].Spans[l.Span].ID != w.Links[j].Span {
					t.Errorf("a link of %s leads to span %d", got.ID, l.Span)
				}
			}
		}
		if got.Slow {
			slow++
		}
	}
	shown := 0
	for _, x := range p.Incidents {
		shown += len(x.Requests)
	}
	if slow != shown || slow == 0 {
		t.Errorf("%d slow traces, incidents have %d", slow, shown)
	}
}

// A comparison has the same numbers.
func TestCompareNumbers(t *testing.T) {
	path := unpack(t)
	file := filepath.Join(t.TempDir(), "c.html")
	for _, format := range []string{"json", "table"} {
		var b bytes.Buffer
		c := config.Config{Args: []string{"a=b=" + path, "twice=" + path, "twice=" + path}, SLO: pageSLO, Page: file, Format: format}
		if err := Compare(context.Background(), Options{Config: c, Logger: quiet, Stdout: &b, Version: "test"}); err != nil {
			t.Fatal(err)
		}
		if format == "table" {
			if !strings.Contains(b.String(), "a=b") || !strings.Contains(b.String(), "jbd2.commit") {
				t.Errorf("the table is\n%s", &b)
			}
			continue
		}
		var printed page.Comparison
		if err := json.Unmarshal(b.Bytes(), &printed); err != nil {
			t.Fatal(err)
		}
		html, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		shown := embedded[page.Comparison](t, html)
		p := reportOf(t, config.Config{Args: []string{path}})
		if printed.Recordings[0].Timeline != nil || shown.Recordings[0].Timeline == nil {
			t.Error("pictures are for the page only")
		}
		for _, c := range []page.Comparison{printed, shown} {
			one, two := &c.Recordings[0], &c.Recordings[1]
			equal(t, "one", one.Latency, p.Requests)
			equal(t, "one slow", one.Slow, p.Slow)
			equal(t, "names", one.Name+", "+two.Name, "a=b, twice")
			equal(t, "twice", [4]uint64{two.Latency.Count, uint64(two.Latency.P99), two.Slow.Count, two.Incidents},
				[4]uint64{2 * one.Latency.Count, uint64(one.Latency.P99), 2 * one.Slow.Count, one.Incidents})
			equal(t, "share", one.Share.Share, float64(p.Slow.Count)/float64(p.Requests.Count))
			if !(one.Share.Low < one.Share.Share && one.Share.Share < one.Share.High) || two.Share.High-two.Share.Low >= one.Share.High-one.Share.Low || two.Share.Differs {
				t.Errorf("%+v\n%+v", one.Share, two.Share)
			}
			for _, q := range one.Quantiles[:3] {
				if q.Low == nil || *q.Low > q.NS || q.High != nil && *q.High < q.NS {
					t.Errorf("%+v", q)
				}
			}
			if one.Timeline != nil {
				equal(t, "columns", len(one.Timeline.Columns), len(two.Timeline.Columns))
			}
		}
	}
}

// What is no whole recording makes a page of what there is, or a clear error.
func TestPageOfLess(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(unpack(t))
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var none, newer bytes.Buffer
	for w, h := range map[*bytes.Buffer]recording.Header{&none: {}, &newer: {}} {
		r := recording.NewWriter(w, h)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ahead := bytes.Replace(whole, []byte(`{"header":{"version":1,`), []byte(`{"header":{"version":9,`), 1)
	packets := packetsOf(t, whole)
	for name, x := range map[string]struct {
		path string
		err  error
		says string
	}{
		"empty file":    {file("empty", nil), nil, "not a readable pcap"},
		"no event":      {file("none", none.Bytes()), ErrNothing, "no produce request"},
		"newer":         {file("newer", ahead), recording.ErrNewer, "newer tailspan"},
		"text":          {file("text", []byte("hello, this is no capture at all")), nil, "not a readable pcap"},
		"not there":     {filepath.Join(dir, "missing"), os.ErrNotExist, "missing"},
		"cut early":     {file("early", whole[:700]), nil, "ends within a block"},
		"cut":           {file("cut", whole[:len(whole)/2]), nil, ""},
		"cut later":     {file("later", whole[:len(whole)-3]), nil, ""},
		"no probes":     {file("packets", packets), nil, ""},
		"noise in it":   {file("noise", append(append(slices.Clone(whole[:len(whole)/2]), bytes.Repeat([]byte{0xa5}, 4096)...), whole[len(whole)/2:]...)), nil, ""},
		"nothing at it": {file("zeros", make([]byte, 1<<16)), nil, "not a readable pcap"},
	} {
		out := filepath.Join(dir, "page.html")
		os.Remove(out)
		c := config.Config{Args: []string{x.path}, SLO: pageSLO, Page: out}
		if name == "no probes" {
			c.Port = 42943 // the demo's; a plain capture does not say
		}
		err := Report(context.Background(), Options{Config: c, Logger: quiet, Stdout: io.Discard, Version: "test"})
		html, missing := os.ReadFile(out)
		if x.says == "" {
			if err != nil || missing != nil {
				t.Errorf("%s: %v, %v", name, err, missing)
				continue
			}
			p := embedded[page.Page](t, html)
			if p.Requests.Count == 0 {
				t.Errorf("%s: an empty page", name)
			}
			if cut := name != "no probes"; cut != (len(p.Notices) == 1) {
				t.Errorf("%s: notices %q", name, p.Notices)
			}
			if name == "no probes" && (p.Writes.Count != 0 || len(p.Threads) != 0 || p.Slow.Count == 0) {
				t.Errorf("%s: %+v", name, p.Writes)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), x.says) || x.err != nil && !errors.Is(err, x.err) || missing == nil {
			t.Errorf("%s: %v; page: %v", name, err, missing == nil)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), ".") {
			t.Errorf("%s was left", f.Name())
		}
	}
}

// packetsOf is the capture without what a recording adds to it.
func packetsOf(t *testing.T, whole []byte) []byte {
	t.Helper()
	var out []byte
	for b := whole; len(b) >= 12; {
		n := int(uint32(b[4]) | uint32(b[5])<<8 | uint32(b[6])<<16 | uint32(b[7])<<24)
		if n < 12 || n > len(b) {
			t.Fatal("a block of no length")
		}
		const enhanced = 6
		if b[0] != enhanced || b[8] == 0 { // of interface 0: the packets
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}
