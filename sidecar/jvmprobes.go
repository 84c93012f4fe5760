package sidecar

import (
	"io"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
)

// jvmProbes is what is attached to the JVM of one broker.
type jvmProbes struct {
	monitors io.Closer // nil: none
}

func (j *jvmProbes) close() {
	if j.monitors != nil {
		j.monitors.Close()
	}
}

// attachMonitors places the monitor probes where the JVM has them and fires
// them; what is missing is one line.
func (l *live) attachMonitors(b *jvm.Broker) io.Closer {
	sites, err := jvm.MonitorSites(b.LibJVM)
	if err != nil {
		l.log.Warn("monitor waits cannot be seen: this JVM has no USDT probes", "pid", b.PID, "libjvm", b.LibJVM,
			"error", err, "do", "run the broker on a JDK built with --enable-dtrace (Debian's, Temurin)")
		return nil
	}
	if on, err := l.flags.fires(b.Process); err != nil || !on {
		l.log.Warn("monitor waits cannot be seen: the JVM's flag is off", "pid", b.PID, "error", err,
			"do", "run with --enable-monitor-probes, or start the broker with KAFKA_OPTS=-XX:+DTraceMonitorProbes")
		return nil
	}
	c, err := l.kernel.AttachSites(b.PID, b.LibJVM, usdt(sites))
	if err != nil {
		l.flags.release(b.Process)
		l.log.Warn("monitor waits cannot be seen: the probes do not attach", "pid", b.PID, "libjvm", b.LibJVM, "error", err)
		return nil
	}
	return c
}

// usdt hands the sites over; jvm and bpf do not know each other.
func usdt(sites []jvm.Probe) []bpf.USDTSite {
	all := make([]bpf.USDTSite, len(sites))
	for i, s := range sites {
		all[i] = bpf.USDTSite{Probe: s.Name, FileOffset: s.FileOffset, Args: make([]bpf.USDTArg, len(s.Args))}
		for k, a := range s.Args {
			all[i].Args[k] = bpf.USDTArg{Reg: a.Reg, Size: a.Size, Const: a.Const, Deref: a.Deref, Displacement: a.Displacement}
		}
	}
	return all
}
