package sidecar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"

	"github.com/tailspan/tailspan/sidecar/align"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/jfr"
)

// Waits that no probe saw come from a JFR recording of the same time
// (--waits). They are read before the replay, kept small, and handed to the
// assembler among the recording's own events, as the probes would have, with
// their times put right by what their threads slept (waits_align.go): that a
// thread begins to wait, that who had the monitor last gives it up, and that
// the thread has it. So a wait's holders are found by the other waits for the
// same monitor that end during it: JFR names just the last one of each.

// maxWaits bounds the waits of a replay: 44 bytes each.
const maxWaits = 1 << 22

// waits are those of one broker.
type waits struct {
	pid     int32
	first   int64     // end of the first in the file, Unix ns
	all     []jfrWait // as in the file; then by end
	starts  []uint32  // all, by start
	ended   int       // of all, handed over
	started int       // of starts, handed over
	threads threadTable
	classes table[string]
	stats   waitStats
	aligned aligned
	astray  atomic.Uint64 // joined ones that overlap a write of their own thread
	writing writing
}

// jfrWait is a wait as the file has it.
type jfrWait struct {
	start, end    int64 // Unix ns
	monitor       uint64
	thread, owner uint32 // of threads; 0: not known
	class         uint32
}

// waitStats counts what became of a file's events.
type waitStats struct {
	jfr.Stats
	Waits    uint64 // for monitors
	Outside  uint64 // of them: not in the time of the recording, which is no loss
	Stranger uint64 // of them: of threads that the recording does not know
}

// readWaits reads the file that --waits names, for the recording at path.
func (s *Sidecar) readWaits(ctx context.Context, path string) (*waits, error) {
	w, err := s.readWaitsOf(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("--waits %s: %w", s.config.Waits, err)
	}
	st := w.stats
	w.aligned.tell(s.log)
	s.log.Info("waits from JFR", "file", s.config.Waits, "pid", w.pid, "waits", st.Waits, "joined", len(w.all),
		"outside_the_recording", st.Outside, "threads_not_known", st.Stranger, "without_a_thread", st.NoThread, "broken", st.Broken)
	return w, nil
}

func (s *Sidecar) readWaitsOf(ctx context.Context, path string) (*waits, error) {
	v, err := s.surveyFile(ctx, path, int32(s.config.PID))
	if err != nil {
		return nil, fmt.Errorf("survey %s: %w", path, err)
	}
	if !v.recording {
		return nil, fmt.Errorf("%s is a plain capture: there are no writes in it, by which waits are joined to requests", path)
	}
	pid, err := v.only()
	if err != nil {
		return nil, err
	}
	if n := v.brokers[pid].waits; n > 0 {
		return nil, fmt.Errorf("the recording has %d waits of broker %d already, which the probes saw; replay it without --waits", n, pid)
	}
	f, err := os.Open(s.config.Waits)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w := &waits{pid: pid}
	if w.stats.Stats, err = jfr.Read(s.task.Reader(f), w.keepNear(ctx, v)); err != nil {
		return nil, err
	}
	w.threads.find(pid, v.brokers[pid].threads)
	w.align(&v.sleeps)
	w.settle(v)
	return w, nil
}

var errTooManyWaits = errors.New("too many waits; cut the JFR recording into pieces with `jfr disassemble`, or record with a threshold")

// within is the time of the recording, from when the broker is known in it: the
// assembler asks once who a broker is, at its first event.
func (w *waits) within(v *survey) (from, to int64) {
	return v.clock.Unix(max(v.first, v.brokers[w.pid].after+1)), v.clock.Unix(v.last)
}

// keepNear takes the waits that can be in the time of the recording, whatever
// JFR's clock is.
func (w *waits) keepNear(ctx context.Context, v *survey) func(*jfr.Wait) error {
	from, to := w.within(v)
	return func(e *jfr.Wait) error {
		if w.stats.Waits++; w.stats.Waits == 1 {
			w.first = e.End
		}
		far := align.Reach(e.End - w.first)
		switch {
		case e.End < from-far || e.End > to+far:
			w.stats.Outside++
			return nil
		case len(w.all) == maxWaits:
			return errTooManyWaits
		}
		w.all = append(w.all, jfrWait{start: e.Start, end: e.End, monitor: e.Address,
			thread: w.threads.of(e.Thread), owner: w.threads.of(e.Owner), class: w.classes.of(e.Class)})
		return ctx.Err()
	}
}

// settle leaves out what is not of the recording, and sorts the rest.
func (w *waits) settle(v *survey) {
	from, to := w.within(v)
	w.all = slices.DeleteFunc(w.all, func(x jfrWait) bool {
		switch {
		case x.start < from || x.end > to:
			w.stats.Outside++
		case w.threads.host[x.thread].TID == 0:
			w.stats.Stranger++
		default:
			return false
		}
		return true
	})
	slices.SortStableFunc(w.all, func(a, b jfrWait) int { return cmp.Compare(a.end, b.end) })
	w.starts = make([]uint32, len(w.all))
	for i := range w.starts {
		w.starts[i] = uint32(i)
	}
	slices.SortStableFunc(w.starts, func(i, k uint32) int { return cmp.Compare(w.all[i].start, w.all[k].start) })
}

// until hands over what happened up to mark. A clock that is set while the
// recording is made may keep some for a later mark.
func (w *waits) until(mark event.Time, clock *event.Clock, push func(event.Source, event.Event)) {
	for ; w.started < len(w.starts); w.started++ {
		x := &w.all[w.starts[w.started]]
		at := clock.Mono(x.start)
		if at > mark {
			break
		}
		push(event.Probes, &event.MonitorEnter{Time: at, Thread: w.threads.host[x.thread],
			Monitor: x.monitor, Class: w.classes.at(x.class), Source: event.SourceJFR})
	}
	for ; w.ended < len(w.all); w.ended++ {
		x := &w.all[w.ended]
		at := clock.Mono(x.end)
		if at > mark {
			return
		}
		if w.writing.overlap(w.threads.host[x.thread].TID, at-event.Time(x.end-x.start), at) {
			w.astray.Add(1)
		}
		if owner := w.threads.host[x.owner]; owner.TID != 0 && x.owner != x.thread && x.monitor != 0 {
			push(event.Probes, &event.MonitorExit{Time: at, Thread: owner, Monitor: x.monitor})
		}
		push(event.Probes, &event.MonitorEntered{Time: at, Thread: w.threads.host[x.thread], Monitor: x.monitor})
	}
}

// lost counts what could not be joined.
func (w *waits) lost(m map[string]uint64) {
	if w == nil {
		return
	}
	m["waits of JFR: thread not known"] = w.stats.Stranger
	m["waits of JFR: at a time when their thread wrote"] = w.astray.Load()
	m["waits of JFR: without a thread"] = w.stats.NoThread
	m["waits of JFR: broken"] = w.stats.Broken
}
