// Package view draws the live view of a run: what is measured of all requests of
// late, whether something stalls now, and the slowest requests of the last
// stalls. It is pure: a State goes in, lines come out; it reads no clock and no
// terminal.
//
// Every number is one that is defined elsewhere. Rates, shares and quantiles are
// of package metrics' counts (the quantiles within metrics.Error), as they were
// ten seconds or a minute before and are now; a request is in them when its trace
// is whole, a second after its response or, where it links to something that is
// not over, up to eleven. What is under way is the assembler's word, of the last
// tenth of a second.
//
//	state.go    what is known
//	history.go  the measurements of the last minute
//	stalls.go   slow requests of one time, taken together
//	slow.go     what is said of a slow request
//	view.go     the lines, and whose they are; now.go: what is under way; table.go: how long
//	            things took, and why some were slow; list.go: what is not seen, and who was slow
//	ink.go      colours and widths; numbers.go: shares and rates
package view

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/metrics"
)

// State is what is known at one instant.
type State struct {
	Now, Since time.Time
	Version    string
	Brokers    []Broker
	Recording  *Recording // nil: none is made

	SLO       time.Duration // 0: nothing is slow
	TopicSLOs bool          // some topics have one of their own

	Measured *History
	UnderWay assemble.UnderWay
	Stalls   []Stall // the latest first

	Down   []string          // probes that are not in use
	Unsent string            // why the collector does not take traces; "": it does, or nobody asked it
	Lost   map[string]uint64 // what could not be seen, since the start
}

// Broker is one that is traced.
type Broker struct {
	Node int32 // -1: not known
	PID  int32
}

// Recording is what has been written of one.
type Recording struct {
	File   string
	Bytes  uint64
	Broken bool
}

// Indices into kinds.
const (
	produced = iota
	written
	commits
)

// kinds are the rows of the table.
var kinds = [...]struct {
	name string
	of   func(*metrics.Totals) *metrics.Durations
}{
	{"produce", func(t *metrics.Totals) *metrics.Durations { return &t.Produce }},
	{"fs.write", func(t *metrics.Totals) *metrics.Durations { return &t.Write }},
	{"jbd2.commit", func(t *metrics.Totals) *metrics.Durations { return &t.Commit }},
}
