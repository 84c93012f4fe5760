package sidecar

import (
	"cmp"
	"log/slog"
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/align"
)

// aligned says how JFR's clock was found to be, by the sleeps of threads that wait.
type aligned struct {
	*align.Alignment      // nil: there were no waits
	sleeps           int  // of the recording
	moved            bool // the waits
}

// sameClock is how far the clocks may seem to differ, wherever they can be
// compared, and yet be the same: what is found is some 10 µs too early or too late.
const sameClock = 50 * time.Microsecond

// align puts the times of the waits right, if JFR's clock is found not to be that
// of the recording.
func (w *waits) align(sleeps *align.Sleeps) {
	if len(w.all) == 0 {
		return
	}
	w.inOrder()
	a := &w.aligned
	a.sleeps = sleeps.Len()
	a.Alignment = sleeps.Align(w.first, len(w.all), func(i int) align.Wait {
		x := &w.all[i]
		return align.Wait{Start: x.start, End: x.end, TID: w.threads.host[x.thread].TID}
	})
	if a.moved = a.Found() && max(-a.Least, a.Most) > sameClock; !a.moved {
		return
	}
	a.Each(len(w.all), func(i int, l align.Line) {
		x := &w.all[i]
		x.start, x.end = x.start+l.At(x.start), x.end+l.At(x.end)
	})
}

// unordered is one in how many waits may end before the one that stands before it
// in the file: jfr prints those of a chunk by their ends, chunk after chunk
// (jdk.jfr.internal.tool.EventPrintWriter), and where one takes its clock anew,
// their times may overlap.
const unordered = 16

// inOrder sorts waits that come in no such order.
func (w *waits) inOrder() {
	back := 0
	for i := range w.all[1:] {
		if w.all[i+1].end < w.all[i].end {
			back++
		}
	}
	if back > len(w.all)/unordered {
		slices.SortStableFunc(w.all, func(a, b jfrWait) int { return cmp.Compare(a.end, b.end) })
	}
}

// tell logs it.
func (a *aligned) tell(log *slog.Logger) {
	if a.Alignment == nil {
		return
	}
	found := []any{"sleeps", a.sleeps, "waits_compared", a.Able, "with_a_sleep", a.Paired}
	if !a.Found() {
		log.Warn("JFR's clock cannot be compared with the recording's, for too few waits have a sleep of their thread: where HotSpot trusts the TSC, waits are joined wrongly",
			append(found, "do", "record with --parks kernel, which is the default, and a threshold of 0 in JFR; or take async-profiler; or start the broker with -XX:+UnlockExperimentalVMOptions -XX:-UseFastUnorderedTimeStamps")...)
		return
	}
	if a.Spent {
		log.Warn("JFR's clock was compared with the recording's until that took too long: where it was taken anew after that, waits are joined wrongly", found...)
	}
	found = append(found, "after_their_sleep_median", a.Late(0.5), "after_their_sleep_p99", a.Late(0.99))
	if !a.moved {
		log.Info("JFR's clock is the recording's", found...)
		return
	}
	log.Info("JFR's clock is not the recording's: its waits are put where their threads slept",
		append(found, "put_forward_least", a.Least, "put_forward_most", a.Most, "clock_taken_anew", a.Jumps)...)
}
