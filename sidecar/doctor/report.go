package doctor

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"

	"github.com/tailspan/tailspan/spans"
)

// State of one check.
type State string

const (
	OK       State = "ok"
	Degraded State = "degraded" // works, but not all of it
	Missing  State = "missing"
	NotHere  State = "n/a" // there is no such thing here, and nothing is amiss
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // the one thing to do about it

	Backend string   `json:"backend,omitempty"` // of a probe: what it is attached by
	Tried   []Tried  `json:"tried,omitempty"`   // of a probe: the better ones, and why they are not to be had
	From    []Source `json:"from,omitempty"`    // of a span: the probes that it comes from
}

// Tried is a backend that was not to be had.
type Tried struct {
	Backend string `json:"backend"`
	Error   string `json:"error"`
}

// Source is a probe that a span comes from.
type Source struct {
	Probe   string `json:"probe"` // package bpf's name of the subject
	Backend string `json:"backend"`
}

// Report is what Examine found.
type Report struct {
	Host    []Check  `json:"host"`
	Brokers []Broker `json:"brokers"`
}

// Broker is one broker, and what its traces will show.
type Broker struct {
	PID       int32    `json:"pid"`
	NodeID    int32    `json:"node_id"` // -1: not known
	ClusterID string   `json:"cluster_id"`
	JDK       string   `json:"jdk"`
	LogDirs   []LogDir `json:"log_dirs"`
	Checks    []Check  `json:"checks"`
	Spans     []Check  `json:"spans"` // by the names of the spans
}

// LogDir is a log dir with its file system.
type LogDir struct {
	Dir     string   `json:"dir"` // as the broker sees it
	Kind    string   `json:"file_system"`
	Source  string   `json:"source"`  // /dev/…
	Device  string   `json:"device"`  // major:minor
	Options []string `json:"options"` // of the mount, the kernel's defaults too where it tells them
	Journal *Journal `json:"journal"` // null: it has none, or none is known
}

// Journal is a file system's journal or log; null is what is not known.
type Journal struct {
	Name       string `json:"name"` // below /proc/fs/jbd2; "": not jbd2's
	External   *bool  `json:"external"`
	Bytes      *int64 `json:"bytes"`
	Checksums  *bool  `json:"checksums"`
	FastCommit *bool  `json:"fast_commit"`
}

// basis are the spans of which one at least must be seen for there to be any
// trace.
var basis = []string{spans.NameProduce, spans.NameAppend, spans.NameWrite}

// ExitCode is 0 where all is well, 1 where something is degraded or missing,
// 2 where nothing can be traced.
func (r Report) ExitCode() int {
	code, traceable := 0, false
	for c := range r.all() {
		if c.State == Degraded || c.State == Missing {
			code = 1
		}
	}
	for _, b := range r.Brokers {
		for _, c := range b.Spans {
			traceable = traceable || slices.Contains(basis, c.Name) && (c.State == OK || c.State == Degraded)
		}
	}
	if !traceable {
		return 2
	}
	return code
}

// all are the checks of all sections, in the order in which they are told.
func (r Report) all() iter.Seq[Check] {
	return func(yield func(Check) bool) {
		lists := [][]Check{r.Host}
		for _, b := range r.Brokers {
			lists = append(lists, b.Checks, b.Spans)
		}
		for _, list := range lists {
			for _, c := range list {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// Do is the one thing to do first: to get the rights that are lacking, or else
// what something missing asks for, or something degraded; "" if there is
// nothing to do.
func (r Report) Do() string {
	first := map[State]string{}
	for c := range r.all() {
		if c.Name == rightsCheck && c.Fix != "" {
			return c.Fix
		}
		first[c.State] = cmp.Or(first[c.State], c.Fix)
	}
	return cmp.Or(first[Missing], first[Degraded])
}

// JSON is the report as one indented object.
func (r Report) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(struct {
		Report
		ExitCode int    `json:"exit_code"`
		Do       string `json:"do,omitempty"`
	}{r, r.ExitCode(), r.Do()}, "", "  ")
	return append(b, '\n'), err
}
