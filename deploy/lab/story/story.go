package story

import (
	"time"

	"github.com/tailspan/tailspan/spans"
)

// What the stories must be, as the demo promises them.
const (
	Slow      = 300 * time.Millisecond // a request this slow is worth a story
	Most      = 0.95                   // of its parent's time
	Quick     = 5 * time.Millisecond   // a write this quick explains nothing
	linkDepth = 4                      // holders that waited themselves
)

// Resolve finds a trace, nil if it is not known.
type Resolve func(spans.TraceID) *spans.Trace

// Direct is a request whose write waited for a commit.
type Direct struct {
	Trace                *spans.Trace
	Write, Dirty, Commit *spans.Span
}

// Cascade is a request that waited for a lock whose holder waited for a
// commit.
type Cascade struct {
	Trace  *spans.Trace
	Wait   *spans.Span
	Holder *spans.Trace // the trace that the link leads to
	Write  *spans.Span  // the holder's write
	Commit *spans.Span  // what that write waited for
}

// FindDirect tells the story of a trace, nil if it has none: a root over Slow,
// and below it fs.write, ext4_dirty_inode and jbd2.commit, each Most of the one
// above.
func FindDirect(t *spans.Trace) *Direct {
	root := t.Root()
	if root.Kind != spans.Server || length(root) <= Slow {
		return nil
	}
	for _, w := range below(t, root, spans.NameWrite) {
		for _, d := range below(t, w, spans.NameExt4DirtyInode) {
			for _, c := range below(t, d, spans.NameJBD2Commit) {
				if most(w, root) && most(d, w) && most(c, d) {
					return &Direct{t, w, d, c}
				}
			}
		}
	}
	return nil
}

// FindCascade tells the story of a trace, nil if it has none: a root over
// Slow whose own writes are quick and whose wait for a monitor is Most of it,
// with a link to another trace's write that waited for a commit.
func FindCascade(t *spans.Trace, resolve Resolve) *Cascade {
	root := t.Root()
	if root.Kind != spans.Server || length(root) <= Slow {
		return nil
	}
	writes := below(t, root, spans.NameWrite)
	for _, w := range writes {
		if length(w) >= Quick {
			return nil
		}
	}
	if len(writes) == 0 {
		return nil
	}
	for _, wait := range below(t, root, spans.NameMonitorWait) {
		if !most(wait, root) {
			continue
		}
		if c := follow(wait, t.ID, resolve, linkDepth); c != nil {
			c.Trace, c.Wait = t, wait
			return c
		}
	}
	return nil
}

// follow looks for a write with a commit at the end of a span's links, also
// through waits of the holders.
func follow(s *spans.Span, own spans.TraceID, resolve Resolve, depth int) *Cascade {
	for _, l := range s.Links {
		t := resolve(l.Trace)
		if t == nil || t.ID == own || depth == 0 {
			continue
		}
		end := find(t, l.Span)
		if end == nil {
			continue
		}
		if isWrite(end) {
			if cs := below(t, end, spans.NameJBD2Commit); len(cs) > 0 {
				return &Cascade{Holder: t, Write: end, Commit: cs[0]}
			}
		}
		if end.Name == spans.NameMonitorWait {
			if c := follow(end, own, resolve, depth-1); c != nil {
				return c
			}
		}
	}
	return nil
}

func isWrite(s *spans.Span) bool {
	return s.Name == spans.NameWrite || s.Name == spans.NameBrokerWrite
}

func length(s *spans.Span) time.Duration { return time.Duration(s.End - s.Start) }

func most(part, whole *spans.Span) bool { return float64(length(part)) >= Most*float64(length(whole)) }

func find(t *spans.Trace, id spans.SpanID) *spans.Span {
	for i := range t.Spans {
		if t.Spans[i].ID == id {
			return &t.Spans[i]
		}
	}
	return nil
}

// below are the spans of a name that have top among their ancestors.
func below(t *spans.Trace, top *spans.Span, name string) []*spans.Span {
	var out []*spans.Span
	for i := range t.Spans {
		s := &t.Spans[i]
		if s.Name != name {
			continue
		}
		for p, n := s, 0; p != nil && n < len(t.Spans); p, n = find(t, p.Parent), n+1 {
			if p.Parent == top.ID && p != top {
				out = append(out, s)
				break
			}
		}
	}
	return out
}
