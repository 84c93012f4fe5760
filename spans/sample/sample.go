package sample

import (
	"sync"
	"time"

	"github.com/tailspan/tailspan/spans"
)

const (
	// DefaultKeep is how many candidates are remembered where Options does not
	// say. A link leads to what overlapped a slow trace: at 5,000 requests a
	// second this is three seconds.
	DefaultKeep = 16384

	// closureLimit bounds the linked traces built within one Offer; the rest of
	// a longer chain follows with the next.
	closureLimit = 256
)

// Candidate is a trace that has ended and is not built yet.
type Candidate interface {
	// Summary's latency is compared with the objective; 0: kept only if linked to.
	Summary() spans.Summary
	// BuildTrace is called at most once, and not for what is dropped.
	BuildTrace() *spans.Trace
}

// Options of New.
type Options struct {
	SLO    time.Duration      // the latency from which a trace is kept; 0: all are
	Keep   int                // candidates remembered; 0: DefaultKeep
	Export func(*spans.Trace) // nil: nothing is kept
}

// Stats says what became of the candidates:
// Seen = KeptSlow + KeptLinked + Dropped + Pending.
type Stats struct {
	Seen, KeptSlow, KeptLinked, Dropped uint64

	Pending   int    // remembered, may still be asked for
	Wanted    int    // ids asked for that have not arrived
	Forgotten uint64 // ids asked for that were never met and had to give way
}

// Sampler decides. Its methods are safe for concurrent use; Export and
// BuildTrace are called with its lock held and may not call it back.
type Sampler struct {
	slo    time.Duration
	export func(*spans.Trace)

	mu     sync.Mutex
	recent recent      // candidates that may be asked for
	wanted ids         // asked for, not met yet
	kept   ids         // exported lately: no need to ask for them
	todo   []Candidate // asked for and met, not built yet
	stats  Stats
}

// New returns a sampler.
func New(o Options) *Sampler {
	if o.Keep <= 0 {
		o.Keep = DefaultKeep
	}
	s := &Sampler{slo: o.SLO, export: o.Export}
	if o.SLO > 0 && o.Export != nil { // else nothing is ever asked for
		s.recent = newRecent(o.Keep)
		s.wanted, s.kept = newIDs(o.Keep), newIDs(o.Keep)
	}
	return s
}

// Offer hands over a trace that has ended.
func (s *Sampler) Offer(c Candidate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Seen++
	if s.export == nil {
		s.stats.Dropped++
		return
	}
	if s.slo <= 0 {
		s.keep(c, &s.stats.KeptSlow)
		return
	}
	sum := c.Summary()
	switch id := sum.ID; {
	case sum.Latency >= s.slo:
		s.wanted.remove(id)
		s.keep(c, &s.stats.KeptSlow)
	case s.wanted.remove(id):
		s.keep(c, &s.stats.KeptLinked)
	default:
		s.stats.Dropped += uint64(s.recent.add(id, c))
	}
	s.closure(closureLimit)
}

// Close drops what was never asked for. Nothing may be offered afterwards.
func (s *Sampler) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closure(len(s.todo) + s.recent.len())
	s.stats.Dropped += uint64(s.recent.clear())
}

// Stats may be read at any time.
func (s *Sampler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Pending = s.recent.len() + len(s.todo)
	st.Wanted, st.Forgotten = s.wanted.len(), s.wanted.forgotten
	return st
}

// keep builds and exports a trace, and asks for those that it links to.
func (s *Sampler) keep(c Candidate, count *uint64) {
	t := c.BuildTrace()
	if t == nil || len(t.Spans) == 0 {
		s.stats.Dropped++
		return
	}
	*count++
	s.export(t)
	if s.slo <= 0 {
		return
	}
	s.kept.add(t.ID)
	for i := range t.Spans {
		for _, l := range t.Spans[i].Links {
			if !l.Remote {
				s.ask(l.Trace)
			}
		}
	}
}

func (s *Sampler) ask(id spans.TraceID) {
	if id.IsZero() || s.kept.has(id) {
		return
	}
	if c := s.recent.take(id); c != nil {
		s.todo = append(s.todo, c)
		return
	}
	s.wanted.add(id)
}

// closure keeps what was asked for, and what that asks for, and so on.
func (s *Sampler) closure(limit int) {
	n := 0
	for ; n < len(s.todo) && n < limit; n++ {
		s.keep(s.todo[n], &s.stats.KeptLinked) // may append to todo
	}
	if n > 0 {
		rest := copy(s.todo, s.todo[n:])
		clear(s.todo[rest:])
		s.todo = s.todo[:rest]
	}
}
