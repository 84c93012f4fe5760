package canary

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// place is where an output comes out.
type place int

const (
	rows      place = iota // --print, but of traces
	traces                 // --print traces, and OTLP's spans
	recording              // --record, and the queue's directory
	other                  // logs, metrics, pages, doctor: nothing of a client
)

// output is bytes that Tailspan put out.
type output struct {
	name  string
	place place
	asked bool // by a tailspan that was asked for message ids
	bytes []byte
	must  string // stands in it: what came out is what was meant to

	linkless []byte // of traces: bytes, but for the ids of links
}

// outputs are all. Safe for many goroutines.
type outputs struct {
	mu  sync.Mutex
	all []output
}

func (o *outputs) add(x output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, x)
}

// addFiles adds every file below a directory.
func (o *outputs) addFiles(t *testing.T, dir, name string, p place, asked bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if len(b) > 0 {
			o.add(output{name: name + " " + filepath.Base(path), place: p, asked: asked, bytes: b})
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// may says whether marks of a kind may be seen in an output.
func (x *output) may(k kind) bool {
	switch k {
	case identity:
		return x.place != other
	case messageID:
		return x.place != other && x.asked
	case traceContext:
		return x.place == recording
	case topic:
		return true
	}
	return false
}

// searchAll looks for every mark in every output, and at the same time shows
// that it would find each kind of them in each.
func searchAll(t *testing.T, l *ledger, searchers map[kind]*Searcher, all []output) {
	t.Helper()
	var bytesOfAll int
	slices.SortFunc(all, func(a, b output) int { return strings.Compare(a.name, b.name) })
	for _, x := range all {
		bytesOfAll += len(x.bytes)
		if !bytes.Contains(x.bytes, []byte(x.must)) {
			t.Errorf("%s: there is no %q in its %d bytes: %.300q", x.name, x.must, len(x.bytes), x.bytes)
		}
		for k, s := range searchers {
			searchOne(t, l, &x, k, s)
		}
	}
	t.Logf("%d outputs of %d bytes: none of %d secrets is in them, nor any of %d clients' ids, %d message ids and %d contexts where it may not be", len(all), bytesOfAll,
		len(l.of(secret)), len(l.of(identity)), len(l.of(messageID)), len(l.of(traceContext))/marksOfContext)
}

// searchers of the marks of each kind.
func (l *ledger) searchers() map[kind]*Searcher {
	all := map[kind]*Searcher{}
	for _, k := range []kind{secret, identity, messageID, traceContext, topic} {
		all[k] = NewSearcher(l.of(k)...)
	}
	return all
}

// searchOne looks for marks of a kind in an output.
func searchOne(t *testing.T, l *ledger, x *output, k kind, s *Searcher) {
	t.Helper()
	in := x.bytes
	if k == traceContext && x.place == traces {
		in = x.linkless
	}
	if !x.may(k) {
		found := s.Find(in)
		for _, f := range found[:min(len(found), told)] {
			t.Errorf("%s holds a %v, one of %d: %v", x.name, k, len(found), f)
		}
	}
	m := l.of(k)[len(in)%len(l.of(k))]
	middle := len(in) / 2
	planted := slices.Concat(in[max(middle-around, 0):middle], m.Bytes, in[middle:min(middle+around, len(in))])
	if !slices.ContainsFunc(s.Find(planted), func(f Finding) bool { return f.Mark.Name == m.Name }) {
		t.Errorf("%s, planted into %s, was not found", m, x.name)
	}
}

const (
	around = 64 << 10 // how much of an output surrounds a planted mark, on either side
	told   = 5        // findings of a kind in an output
)
