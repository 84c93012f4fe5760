package sample

import "github.com/tailspan/tailspan/spans"

// whole is a candidate that can still be built.
type whole struct {
	c       Candidate
	lost    mark
	request bool
}

// remember keeps what nobody wants yet at hand, in full where a link would be
// worth it: what others waited for, and all that is no request.
func (s *Sampler) remember(c Candidate, sum *spans.Summary, lost mark) {
	switch {
	case sum.ID.IsZero(): // no link leads to it
		s.lose(lost, sum.Topic, sum.Request)
	case sum.Explains || !sum.Request:
		s.rememberFull(sum.ID, whole{c, lost, sum.Request})
	default:
		s.rememberStub(sum, lost)
	}
}

// rememberFull forgets the oldest for it.
func (s *Sampler) rememberFull(id spans.TraceID, w whole) {
	if oldest, ok := s.full.next(); ok {
		s.forget(oldest)
	}
	*s.full.push(id) = w
	s.fullLoad.add(w.request)
}

func (s *Sampler) takeFull(id spans.TraceID) (whole, bool) {
	w, ok := s.full.take(id)
	if ok {
		s.fullLoad.remove(w.request)
	}
	return w, ok
}

// forget counts what goes from the ring.
func (s *Sampler) forget(w *whole) {
	s.fullLoad.remove(w.request)
	topic := ""
	if w.lost != worthless {
		topic = w.c.Summary().Topic
	}
	s.lose(w.lost, topic, w.request)
}

// rememberStub does likewise.
func (s *Sampler) rememberStub(sum *spans.Summary, lost mark) {
	if oldest, ok := s.stubs.next(); ok {
		s.forgetStub(oldest)
	}
	s.stubs.push(sum.ID).set(sum, lost)
	s.stubLoad.add(true)
}

func (s *Sampler) forgetStub(st *stub) {
	s.stubLoad.remove(true)
	s.lose(st.lost, st.topic, true)
}

func (s *Sampler) takeStub(id spans.TraceID) (stub, bool) {
	st, ok := s.stubs.take(id)
	if ok {
		s.stubLoad.remove(true)
	}
	return st, ok
}

// forgetAll ends all hope.
func (s *Sampler) forgetAll() {
	for s.full.used > 0 {
		if w, ok := s.full.drop(); ok {
			s.forget(&w)
		}
	}
	for s.stubs.used > 0 {
		if st, ok := s.stubs.drop(); ok {
			s.forgetStub(&st)
		}
	}
}
