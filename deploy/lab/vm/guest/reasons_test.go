package guest

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
)

const (
	slow = event.Time(20 * time.Millisecond) // a write whose waits must be explained
	// explained is the share of a slow write's sleep that must have a reason.
	explained = 0.95
)

// checkReasons wants to know of every slow write what its thread waited for
// while it slept in the kernel. What it did not sleep it ran, or the emulator
// was not run itself.
func checkReasons(t *testing.T, p *pipeline, h *handler) (reasons map[string]time.Duration) {
	t.Helper()
	reasons = map[string]time.Duration{}
	if !p.subjects[bpf.SubjectOffCPU] {
		t.Log("waits in the kernel are not seen")
		return reasons
	}
	stays := of[*event.OffCPU](p)
	for i := range h.all {
		w := &h.all[i]
		if w.took() < slow {
			continue
		}
		var off, known event.Time
		for _, o := range stays {
			if o.TID != h.tid || o.Start < w.before || o.End > w.after {
				continue
			}
			off += o.End - o.Start
			if o.Stack != nil && o.Stack.Reason != "" {
				known += o.End - o.Start
				reasons[o.Stack.Reason] += time.Duration(o.End - o.Start)
			} else if o.Stack != nil && o.End-o.Start > slow {
				t.Logf("no reason for %s at %q", time.Duration(o.End-o.Start), o.Stack.Frames)
			}
		}
		if off > w.took() || float64(known) < explained*float64(off) {
			t.Errorf("write %d took %s, off the CPU for %s, with a reason for %s",
				i, time.Duration(w.took()), time.Duration(off), time.Duration(known))
		}
	}
	t.Logf("waits of slow writes: %v", reasons)
	return reasons
}

const sectorBytes = 512 // of any disk, in the kernel's counts

// checkDisk wants all that the disk itself counted as written: what it
// completed after the first reading and before the second, and some of what it
// completed during one.
func checkDisk(t *testing.T, p *pipeline, from, to counted) {
	t.Helper()
	if !p.subjects[bpf.SubjectBlockIO] {
		t.Log("block I/O is not seen")
		return
	}
	least, most := 0, 0
	for _, b := range of[*event.BlockIO](p) {
		if b.Device != p.device || b.Op != "write" || b.End < from.before || b.End > to.after {
			continue
		}
		most += int(b.Bytes) / sectorBytes
		if b.End > from.after && b.End < to.before {
			least += int(b.Bytes) / sectorBytes
		}
	}
	if n := to.n - from.n; n < least || n > most || n == 0 {
		t.Errorf("%d to %d sectors seen written, the disk counted %d", least, most, n)
	}
}
