package sidecar

import (
	"errors"
	"io"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/probe"
)

// jvmProbes is what is attached to the JVM of one broker.
type jvmProbes struct {
	life     io.Closer // nil: nothing, as of all
	monitors io.Closer
	parks    io.Closer
}

func (j *jvmProbes) close() {
	for _, c := range []io.Closer{j.life, j.monitors, j.parks} {
		if c != nil {
			c.Close()
		}
	}
}

const flagFix = "run with --enable-monitor-probes, or start the broker with KAFKA_OPTS=-XX:+DTraceMonitorProbes"

var errFlagOff = errors.New("the JVM's flag DTraceMonitorProbes is off")

// attachLife places the probes that every JVM with USDT probes fires: of its
// threads' starts and of its pauses.
func (l *live) attachLife(b *jvm.Broker) io.Closer {
	sites, err := jvm.LifeSites(b.LibJVM)
	if err == nil {
		var c io.Closer
		if c, err = l.kernel.AttachSites(b.PID, b.LibJVM, usdt(sites)); err == nil {
			return c
		}
	}
	l.log.Warn("GCs and other pauses of the JVM cannot be seen", "pid", b.PID, "libjvm", b.LibJVM, "error", err)
	return nil
}

// attachParks places the probes of parks, where these are asked for.
func (l *live) attachParks(b *jvm.Broker) io.Closer {
	if l.config.Parks != config.ParksUSDT {
		return nil
	}
	sites, err := jvm.ParkSites(b.LibJVM)
	if err == nil {
		var c io.Closer
		if c, err = l.kernel.AttachSites(b.PID, b.LibJVM, usdt(sites)); err == nil {
			return c
		}
	}
	l.log.Warn("parks cannot be seen by the JVM's probes", "pid", b.PID, "libjvm", b.LibJVM, "error", err, "do", "leave out --parks usdt")
	return nil
}

// attachMonitors places the monitor probes where the JVM has them and fires them,
// else probes on its functions; what is missing is one line.
func (l *live) attachMonitors(b *jvm.Broker) io.Closer {
	sites, why := l.monitorSites(b)
	if why != nil {
		return l.attachFunctions(b, why)
	}
	c, err := l.attachGoverned(b, sites)
	if err != nil {
		l.flags.release(b.Process)
		return l.attachFunctions(b, err)
	}
	return c
}

// monitorSites are those of the JVM's own probes, or why they do not fire.
func (l *live) monitorSites(b *jvm.Broker) ([]jvm.Probe, error) {
	sites, err := jvm.MonitorSites(b.LibJVM)
	if err != nil {
		return nil, err
	}
	on, err := l.flags.fires(b.Process)
	if err == nil && !on {
		err = errFlagOff
	}
	return sites, err
}

// attachFunctions is the third way: it needs no flag, and does not see the class of
// a lock.
func (l *live) attachFunctions(b *jvm.Broker, why error) io.Closer {
	sites, err := jvm.MonitorFunctions(b.LibJVM)
	var c io.Closer
	if err == nil {
		c, err = l.attachGoverned(b, sites)
	}
	if err != nil {
		l.log.Warn("monitor waits cannot be seen, neither by the JVM's probes nor by its functions", "pid", b.PID,
			"libjvm", b.LibJVM, "probes", why, "functions", err, "do", flagFix)
		return nil
	}
	l.log.Warn("monitor waits are seen by functions of libjvm, without the classes of the locks", "pid", b.PID,
		"because", why, "do", flagFix)
	return c
}

// usdt hands the sites over.
func usdt(sites []jvm.Probe) []bpf.USDTSite { return probe.Sites(sites) }
