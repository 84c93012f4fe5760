package probe

import (
	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
)

// journal pairs the phases of a commit: one runs at a time on a device
// (fs/jbd2/journal.c, kjournald2).
func (c *Converter) journal(r *bpf.Record) event.Event {
	d, at := event.Device(r.Journal.Device), event.Time(r.Time)
	if r.Journal.Phase == bpf.PhaseStart {
		if len(c.commits) >= maxDevices {
			clear(c.commits) // a recording may name any
		}
		c.commits[d] = &event.Commit{Start: at, Device: d, Transaction: r.Journal.Transaction, TID: r.TID}
		return &event.CommitStart{Time: at, Device: d, Transaction: r.Journal.Transaction}
	}
	k := c.commits[d]
	if k == nil || k.Transaction != r.Journal.Transaction {
		return nil // its start was not seen
	}
	switch r.Journal.Phase {
	case bpf.PhaseLocking:
		k.Locking = at
	case bpf.PhaseFlushing:
		k.Flushing = at
	case bpf.PhaseLogging:
		k.Logging = at
	case bpf.PhaseEnd:
		k.End = at
		delete(c.commits, d)
		return k
	}
	return nil
}

var origins = map[bpf.Origin]event.Origin{
	bpf.OriginInterval: event.OriginInterval, bpf.OriginFsync: event.OriginFsync,
	bpf.OriginSync: event.OriginSync, bpf.OriginSpace: event.OriginSpace,
}

// origin belongs to the commit that has just begun.
func (c *Converter) origin(r *bpf.Record) {
	o := &r.CommitOrigin
	k := c.commits[event.Device(o.Device)]
	if k == nil || k.Transaction != o.Transaction {
		return
	}
	k.Origin, k.Free, k.Size = origins[o.Origin], o.Free, o.Size
	k.By = c.threadOf(o.TGID, o.TID, o.Comm)
}

// commitStats belong to the commit that is about to end.
func (c *Converter) commitStats(r *bpf.Record) {
	s := &r.CommitStats
	k := c.commits[event.Device(s.Device)]
	if k == nil || k.Transaction != s.Transaction {
		return
	}
	tick := event.Time(tickOf(r.Time, s.Jiffies))
	k.Stats = event.CommitStats{
		Handles: s.Handles, Blocks: s.Blocks, Logged: s.Logged,
		Wait: event.Time(s.Wait) * tick, RequestDelay: event.Time(s.RequestDelay) * tick,
		Running: event.Time(s.Running) * tick, Locked: event.Time(s.Locked) * tick,
		Flushing: event.Time(s.Flushing) * tick, Logging: event.Time(s.Logging) * tick,
	}
}

// tickOf finds how many nanoseconds a jiffy has, of those that kernels are
// built with (kernel/Kconfig.hz); 0 where none fits. jiffies_64 begins, as a
// number of 32 bits, 300 s before its overflow (include/linux/jiffies.h,
// INITIAL_JIFFIES), and counts as CLOCK_MONOTONIC does from then on.
func tickOf(at int64, jiffies uint64) int64 {
	const (
		second = 1_000_000_000
		slack  = second / 2
	)
	for _, hz := range []int64{100, 250, 300, 1000} {
		since := int64(jiffies - (1<<32 - uint64(300*hz)))
		if d := since*(second/hz) - at; since >= 0 && d < slack && d > -slack {
			return second / hz
		}
	}
	return 0
}
