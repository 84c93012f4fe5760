package sample

import "github.com/tailspan/tailspan/spans"

// perOffer and perTick bound the traces that are built within one call; the
// rest of a second, or of a long chain of links, follows with the next.
const (
	perOffer = 256
	perTick  = 1024
)

// decided is a candidate that is to be kept.
type decided struct {
	c       Candidate
	id      spans.TraceID
	why     Fate
	request bool
	state   string // "": with a probability that is not known
}

// competed says that it was kept for what it is, and not for what else was.
func (d *decided) competed() bool { return d.why <= OfCause || d.why == Share }

// queue is where all go that are kept. From now on links need not ask for them.
func (s *Sampler) queue(d decided) {
	s.kept.add(d.id)
	s.todoLoad.add(d.request)
	s.todo = append(s.todo, d)
}

// work keeps what is queued, and what that asks for, and so on.
func (s *Sampler) work(limit int) {
	for ; limit > 0 && s.next < len(s.todo); limit-- {
		d := s.todo[s.next]
		s.todo[s.next] = decided{}
		s.next++
		s.todoLoad.remove(d.request)
		s.keep(&d) // may queue more
	}
	if s.next > len(s.todo)/2 {
		rest := copy(s.todo, s.todo[s.next:])
		clear(s.todo[rest:])
		s.todo, s.next = s.todo[:rest], 0
	}
}

// keep builds and exports a trace, and asks for those that it links to.
func (s *Sampler) keep(d *decided) {
	t := d.c.BuildTrace()
	if t == nil || len(t.Spans) == 0 {
		s.stats.count(Empty, d.request)
		return
	}
	if d.state != "" {
		t.State = d.state
	}
	if !s.hand(t, d.why, d.request) {
		return
	}
	if d.competed() {
		s.budget.traces++
	}
	for i := range t.Spans {
		for _, l := range t.Spans[i].Links {
			if !l.Remote {
				s.ask(l.Trace)
			}
		}
	}
}

// hand exports a trace, and counts what became of it.
func (s *Sampler) hand(t *spans.Trace, why Fate, request bool) bool {
	n := len(t.Spans) // afterwards it is another's
	if !s.export(t) {
		s.stats.count(Refused, request)
		return false
	}
	s.stats.count(why, request)
	s.stats.Spans += uint64(n)
	s.budget.spent += float64(n)
	return true
}

// ask is for a trace that a kept one links to. Several requests may have its
// id, where a producer's trace was adopted: then the last of them that is held
// or remembered in full is kept, though another one already was.
func (s *Sampler) ask(id spans.TraceID) {
	if id.IsZero() {
		return
	}
	if at := s.pool.find(id); at != none {
		s.askHeld(at)
		return
	}
	if w, ok := s.takeFull(id); ok {
		s.queue(decided{w.c, id, Linked, w.request, ""})
		return
	}
	if s.kept.has(id) {
		return
	}
	if st, ok := s.takeStub(id); ok {
		s.kept.add(id)
		s.hand(st.trace(id), Stub, true)
		return
	}
	s.wanted.add(id)
}

// askHeld leaves a candidate that competes where it is: it may be kept with a
// probability that is known.
func (s *Sampler) askHeld(at uint32) {
	it := &s.pool.items[at]
	switch {
	case it.stratum == nowhere:
		s.decide(at, Linked, "")
	case it.must == mustNot:
		it.must = mustLinked
	}
}
