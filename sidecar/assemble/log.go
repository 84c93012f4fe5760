package assemble

import (
	"cmp"
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
)

// log is what is known of one partition's log on one broker.
type log struct {
	event.TopicPartition
	next      int64    // an offset that it has reached; 0: none seen
	exact     bool     // next is the very offset of the next batch
	holes     int32    // batches that were not seen, by the offsets of the next
	waiting   []*part  // parts of requests that wait for a write or an answer, in order
	unacked   int      // of them, those of acks=0 requests
	recent    []*write // batches, by offset
	followers []follower
}

// log finds or makes a partition's. Where there are too many, those of which
// nothing is in work are forgotten.
func (b *broker) log(tp event.TopicPartition) *log {
	l := b.logs[tp]
	if l == nil {
		if len(b.logs) >= maxLogs {
			b.forgetLogs()
		}
		l = &log{TopicPartition: tp}
		b.logs[tp] = l
	}
	return l
}

func (b *broker) forgetLogs() {
	for tp, l := range b.logs {
		if len(l.waiting) == 0 && len(l.recent) == 0 {
			delete(b.logs, tp)
		}
	}
	if len(b.logs) >= maxLogs {
		clear(b.logs) // what is in work keeps its own
	}
}

// append notes a batch. One that begins beyond the end of the one before it
// tells that something was not seen; one that does not begin behind it, that
// the log was truncated or made anew.
func (l *log) append(w *write) {
	e := w.ev
	if n := len(l.recent); n > 0 && l.recent[n-1].ev.BaseOffset >= e.BaseOffset {
		l.recent = nil
	}
	l.recent = append(l.recent, w)
	if l.exact && e.BaseOffset > l.next {
		l.holes++
	}
	l.next = e.BaseOffset + max(1, int64(e.Records))
	l.exact = e.Records > 0 && int64(e.BatchBytes) == e.Bytes // one batch, whole
}

// awaits says that a write may be for one of the requests that wait: it came
// before.
func (l *log) awaits(w *write) bool {
	return slices.ContainsFunc(l.waiting, func(p *part) bool { return p.precedes(w.ev) })
}

// at is the batch that was put at an offset, nil where that was not seen or is
// forgotten. It is mostly one of the last.
func (l *log) at(base int64) *write {
	const few = 4
	i := len(l.recent)
	for n := 0; i > 0 && n < few; n++ {
		i--
		switch w := l.recent[i]; {
		case w.ev.BaseOffset == base:
			return w
		case w.ev.BaseOffset < base:
			return nil
		}
	}
	k, found := slices.BinarySearchFunc(l.recent[:i], base, func(w *write, base int64) int {
		return cmp.Compare(w.ev.BaseOffset, base)
	})
	if !found {
		return nil
	}
	return l.recent[k]
}

// forget drops a write, which is the oldest.
func (l *log) forget(w *write) {
	if len(l.recent) > 0 && l.recent[0] == w {
		l.recent[0] = nil
		l.recent = l.recent[1:]
	}
}

// first is the oldest write that nobody has claimed and that began no earlier
// than from.
func (l *log) first(from event.Time, fits func(*event.Write) bool) (oldest *write) {
	for i := len(l.recent) - 1; i >= 0; i-- {
		w := l.recent[i]
		if w.ev.End < from { // a log's writes follow one another
			break
		}
		if w.part == nil && w.ev.Start >= from && fits(w.ev) {
			oldest = w
		}
	}
	return oldest
}
