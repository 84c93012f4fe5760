package probe

import (
	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
)

// jvm is what the probes in libjvm tell; nil for other records.
func (c *Converter) jvm(r *bpf.Record) event.Event {
	at := event.Time(r.Time)
	switch m := &r.Monitor; r.Kind {
	case bpf.KindThreadStart:
		c.threads.start(r.TGID, r.TID, r.ThreadStart.Name)
	case bpf.KindMonitorEnter:
		source := event.SourceUSDT
		if m.Function {
			source = event.SourceFunction
		}
		return &event.MonitorEnter{Time: at, Thread: c.thread(r, m.Comm), Monitor: m.Address, Class: c.names.of(m.Class), Source: source}
	case bpf.KindMonitorEntered:
		return &event.MonitorEntered{Time: at, Thread: c.thread(r, m.Comm), Monitor: m.Address}
	case bpf.KindMonitorExit:
		return &event.MonitorExit{Time: at, Thread: c.thread(r, m.Comm), Monitor: m.Address}
	case bpf.KindPark:
		p := &r.Park
		return &event.Park{Start: event.Time(p.Start), End: at, Woken: event.Time(p.Woken), Thread: c.thread(r, p.Comm),
			Waker: c.other(r.TGID, p.Waker), Futex: p.Futex, Timed: p.Timed, Kernel: p.Kernel}
	case bpf.KindVMOperation:
		if r.VM.Concurrent {
			return nil // it stopped nobody
		}
		return c.pause(r)
	case bpf.KindGC:
		return c.pause(r)
	}
	return nil
}

func (c *Converter) pause(r *bpf.Record) event.Event {
	v := &r.VM
	return &event.Pause{Start: event.Time(v.Start), End: event.Time(r.Time), Thread: c.thread(r, nil),
		GC: r.Kind == bpf.KindGC, Name: c.names.of(v.Name), Full: v.Full}
}
