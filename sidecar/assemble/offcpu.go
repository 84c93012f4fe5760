package assemble

import (
	"cmp"
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/spans"
)

const (
	// minStay is the shortest time off the CPU that is told by itself, and the
	// longest between two that are taken for one.
	minStay = event.Time(200 * time.Microsecond)
	// maxKernelWaits is how many waits of one write become spans: the longest.
	maxKernelWaits = 16
)

// cpu is how a thread spent the time of a write; what is neither sleep nor
// runQueue it ran.
type cpu struct {
	sleep, runQueue event.Time
	more            struct{ sleep, runQueue event.Time } // of both, where reasons are not known
	waits           []kernelWait                         // the longest, in order
	reason          string                               // of most of what the waits took; "" without any
	samples         int
	busiest         *event.Stack // of the samples
}

// kernelWait is one stay off the CPU, or several of one stack in a row.
type kernelWait struct {
	start, end      event.Time
	sleep, runQueue event.Time
	reason          string
	stack           *event.Stack // nil: not known
}

// ran is the cpu of a thread that did nothing but run.
var ran = &cpu{}

// during is how a thread spent the time between from and to; nil where off-CPU
// time is not seen.
func (a *Assembler) during(s *stays, from, to event.Time) *cpu {
	switch {
	case !a.seesOffCPU:
		return nil
	case len(s.list) == 0 && len(s.samples) == 0:
		return ran
	}
	if s.more.since != 0 && s.more.since < from {
		return nil // a part of them is from another call, whose end was not seen
	}
	s.samples = slices.DeleteFunc(s.samples, func(e *event.Sample) bool { return e.Time < from || e.Time > to })
	c := &cpu{}
	for e, start := range s.inside(from, to) {
		c.add(e, start)
		from = e.End
	}
	rest := max(0, to-from)
	c.more.sleep = min(s.more.sleep, rest)
	c.more.runQueue = min(s.more.runQueue, rest-c.more.sleep)
	c.sleep += c.more.sleep
	c.runQueue += c.more.runQueue
	c.waits = slices.DeleteFunc(c.waits, func(w kernelWait) bool { return w.end-w.start < minStay })
	var all reasons
	all.of(c)
	c.reason = all.longest()
	c.waits = longest(c.waits)
	c.samples, c.busiest = busiest(s.samples)
	return c
}

// add takes the part of a stay after start.
func (c *cpu) add(e *event.OffCPU, start event.Time) {
	slept := sleep(e, start)
	w := kernelWait{start: start, end: e.End, sleep: slept, runQueue: e.End - start - slept, reason: reasonOf(e), stack: e.Stack}
	c.sleep += w.sleep
	c.runQueue += w.runQueue
	if n := len(c.waits); n > 0 && c.waits[n-1].continues(&w) {
		l := &c.waits[n-1]
		l.end, l.sleep, l.runQueue = w.end, l.sleep+w.sleep, l.runQueue+w.runQueue
		return
	}
	c.waits = append(c.waits, w)
}

// continues says whether next goes on where w ended.
func (w *kernelWait) continues(next *kernelWait) bool {
	return next.start-w.end < minStay && w.reason == next.reason && sameStack(w.stack, next.stack)
}

// forCommit is how sure it is that a commit which ran meanwhile held it up. Room
// in the journal comes from checkpoints, too, and from handles that end.
func (w *kernelWait) forCommit() join {
	switch {
	case stack.Commit(w.reason):
		return joinExact
	case stack.Journal(w.reason), stack.Disk(w.reason), w.reason == stack.Unknown:
		return joinInferred
	}
	return joinNone
}

// forFlush is how sure it is that another's fast commit did, or its log force.
func (w *kernelWait) forFlush(f *flush) join {
	switch {
	case f.name == spans.NameLogForce:
		if stack.XFSLog(w.reason) || w.reason == stack.Unknown {
			return joinInferred
		}
		return joinNone
	case w.reason == stack.FastCommit, w.reason == stack.TransactionBarrier:
		return joinExact
	case stack.Disk(w.reason), w.reason == stack.Unknown:
		return joinInferred
	}
	return joinNone
}

func sameStack(a, b *event.Stack) bool {
	return a == b || a != nil && b != nil && slices.Equal(a.Frames, b.Frames)
}

// longest keeps the maxKernelWaits longest waits, in their order.
func longest(all []kernelWait) []kernelWait {
	if len(all) > maxKernelWaits {
		slices.SortFunc(all, func(a, b kernelWait) int { return cmp.Compare(b.end-b.start, a.end-a.start) })
		all = all[:maxKernelWaits]
		slices.SortFunc(all, func(a, b kernelWait) int { return cmp.Compare(a.start, b.start) })
	}
	return slices.Clone(all) // most were short
}

// busiest is the stack that most samples have, the first of these.
func busiest(all []*event.Sample) (n int, most *event.Stack) {
	best := 0
	for _, e := range all {
		same := 0
		for _, o := range all {
			if e.Stack != nil && sameStack(e.Stack, o.Stack) {
				same++
			}
		}
		if same > best {
			best, most = same, e.Stack
		}
	}
	return len(all), most
}

// reasons sums up time by reason; there are few.
type reasons []struct {
	reason string
	ns     event.Time
}

func (all *reasons) of(c *cpu) {
	if c == nil {
		return
	}
	for i := range c.waits {
		all.add(c.waits[i].reason, c.waits[i].end-c.waits[i].start)
	}
}

func (all *reasons) add(reason string, ns event.Time) {
	for i := range *all {
		if (*all)[i].reason == reason {
			(*all)[i].ns += ns
			return
		}
	}
	*all = append(*all, struct {
		reason string
		ns     event.Time
	}{reason, ns})
}

// longest is the reason with the most time, the first of these; "" without any.
func (all reasons) longest() (reason string) {
	most := event.Time(0)
	for _, r := range all {
		if r.ns > most {
			reason, most = r.reason, r.ns
		}
	}
	return reason
}
