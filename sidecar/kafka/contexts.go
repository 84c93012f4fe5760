package kafka

// contexts is the distinct trace contexts of a request: the first MaxContexts
// of them, and the number of further ones. Two are the same where trace and
// span are.
type contexts struct {
	list []TraceContext
	more map[contextKey]struct{}

	sampled int // records whose context is sampled
}

type contextKey struct {
	trace [16]byte
	span  [8]byte
}

func (s *contexts) add(c TraceContext) {
	if c.Flags&Sampled != 0 {
		s.sampled++
	}
	for i := range s.list {
		if s.list[i].SpanID == c.SpanID && s.list[i].TraceID == c.TraceID {
			return
		}
	}
	if len(s.list) < MaxContexts {
		s.list = append(s.list, c)
		return
	}
	if len(s.more) >= headerRecords {
		return // more than the budget has records
	}
	if s.more == nil {
		s.more = make(map[contextKey]struct{})
	}
	s.more[contextKey{c.TraceID, c.SpanID}] = struct{}{}
}

// shared says that so many records all have one context, which is sampled.
func (s *contexts) shared(records int) bool {
	return records > 0 && s.sampled == records && len(s.list) == 1 && len(s.more) == 0
}

// reset empties the set; only a small one keeps its storage.
func (s *contexts) reset() {
	s.list, s.sampled = s.list[:0], 0
	if len(s.more) > 8*MaxContexts {
		s.more = nil
	}
	clear(s.more)
}
