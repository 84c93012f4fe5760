package report

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// outputBuffer is how much is printed before it is written without a Flush.
const outputBuffer = 64 << 10

// Printer writes the rows of one kind, as they come; others are ignored. It
// belongs to one goroutine. An error of the writer is returned by every call
// after it.
type Printer struct {
	// Waterfall is how --print traces draws, and Location the clock of the
	// tables; both are to be set before the first row.
	Waterfall WaterfallOptions
	Location  *time.Location // nil: time.Local

	out       *bufio.Writer
	print     string
	jsonl     bool
	threshold int64
	json      *json.Encoder
	table     *table
	folded    folded
}

// New returns a printer of the rows that print names (none, requests, writes,
// joined, waits, commits, traces, stacks), as format says (table, jsonl). Rows
// whose latency is under the threshold, or unknown, are left out if there is one;
// of stacks, which Stacks prints at the end, the latency is the write's.
func New(w io.Writer, print, format string, threshold time.Duration) *Printer {
	out := bufio.NewWriterSize(w, outputBuffer)
	p := &Printer{out: out, print: print, jsonl: format == "jsonl", threshold: int64(threshold)}
	p.json = json.NewEncoder(out)
	p.json.SetEscapeHTML(false)
	p.table = newTable(out, columns[print])
	return p
}

// Flush writes out what is buffered.
func (p *Printer) Flush() error { return p.out.Flush() }

// wants says whether a row of a kind and a latency is to be printed.
func (p *Printer) wants(kind string, latency int64) bool {
	return p.print == kind && (p.threshold <= 0 || latency >= p.threshold)
}

// unknown is the latency of what has no end: printed only without threshold.
const unknown = -1

func orUnknown(n *int64) int64 {
	if n == nil {
		return unknown
	}
	return *n
}

// Request prints a request.
func (p *Printer) Request(r *assemble.RequestRow) error {
	switch {
	case !p.wants("requests", orUnknown(r.Latency)):
		return nil
	case p.jsonl:
		row := *r
		row.Partitions = withLists(r.Partitions)
		return p.json.Encode(&row)
	}
	return p.requestTable(r)
}

// Write prints a write.
func (p *Printer) Write(r *assemble.WriteRow) error {
	switch {
	case !p.wants("writes", r.Latency):
		return nil
	case p.jsonl:
		return p.json.Encode(r)
	}
	return p.writeTable(r)
}

// Joined prints a request's partition with its write. Where the request has no
// end, its latency is at least that up to the write's.
func (p *Printer) Joined(r *assemble.JoinedRow) error {
	end := r.WriteEnd
	if r.End != nil {
		end = *r.End
	}
	switch {
	case !p.wants("joined", end-r.Arrival):
		return nil
	case p.jsonl:
		row := *r
		row.MessageIDs = orEmpty(r.MessageIDs)
		return p.json.Encode(&row)
	}
	return p.joinedTable(r)
}

// Wait prints a wait for a monitor.
func (p *Printer) Wait(r *assemble.WaitRow) error {
	switch {
	case !p.wants("waits", r.Latency):
		return nil
	case p.jsonl:
		row := *r
		row.Holders = orEmpty(r.Holders)
		return p.json.Encode(&row)
	}
	return p.waitTable(r)
}

// Commit prints a journal commit.
func (p *Printer) Commit(r *assemble.CommitRow) error {
	switch {
	case !p.wants("commits", r.Latency):
		return nil
	case p.jsonl:
		row := *r
		row.Held = orEmpty(r.Held)
		return p.json.Encode(&row)
	}
	return p.commitTable(r)
}

// Trace prints a trace: as a waterfall where the format is table.
func (p *Printer) Trace(t *spans.Trace) error {
	switch {
	case len(t.Spans) == 0 || !p.wants("traces", t.Root().End-t.Root().Start):
		return nil
	case p.jsonl:
		return p.json.Encode(traceRow(t))
	}
	o := p.Waterfall
	if o.Location == nil {
		o.Location = p.Location
	}
	if err := Waterfall(p.out, t, o); err != nil {
		return err
	}
	return p.out.WriteByte('\n')
}

// withLists makes JSON's [] of lists that are nil, without touching the row.
func withLists(ps []assemble.RequestPartition) []assemble.RequestPartition {
	for i := range ps {
		if ps[i].MessageIDs == nil {
			out := append([]assemble.RequestPartition{}, ps...)
			for j := range out {
				out[j].MessageIDs = orEmpty(out[j].MessageIDs)
			}
			return out
		}
	}
	return orEmpty(ps)
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
