package sidecar

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/recording"
)

const (
	// governEach is how often the rates are read: one that is too high is seen
	// within two of these.
	governEach = 3 * pulse
	// tellWithin is how long the broker waits for it to be noted in its order
	// that its probes go.
	tellWithin = 2 * pulse
)

// governors are those of all JVMs with monitor probes.
type governors struct {
	mu  sync.Mutex
	all map[*governed]struct{}
}

// governed are the monitor probes of one JVM. They are taken off while contended
// enters are too many, for each hit costs the thread a microsecond, and put on
// again later.
type governed struct {
	pid    int32
	attach func() (io.Closer, error)
	of     *governors

	mu     sync.Mutex
	rate   governor
	probes io.Closer // nil: taken off
	closed bool
}

// attachGoverned attaches probes of monitors and puts them under the governor.
func (l *live) attachGoverned(b *jvm.Broker, sites []jvm.Probe) (io.Closer, error) {
	return l.govern(b.PID, func() (io.Closer, error) { return l.kernel.AttachSites(b.PID, b.LibJVM, usdt(sites)) })
}

func (l *live) govern(pid int32, attach func() (io.Closer, error)) (io.Closer, error) {
	g := &governed{pid: pid, attach: attach, of: &l.governed, rate: governor{limit: float64(l.config.MaxWaitsRate)}}
	if err := l.putOn(g); err != nil {
		return nil, err
	}
	l.governed.mu.Lock()
	defer l.governed.mu.Unlock()
	if l.governed.all == nil {
		l.governed.all = map[*governed]struct{}{}
	}
	l.governed.all[g] = struct{}{}
	return g, nil
}

// Close takes the probes off for good.
func (g *governed) Close() error {
	g.of.mu.Lock()
	delete(g.of.all, g)
	g.of.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	return g.takeOff()
}

func (l *live) putOn(g *governed) error {
	var err error
	if g.probes, err = g.attach(); err != nil {
		g.probes = nil
	}
	n, e := l.kernel.Enters(g.pid) // afterwards: what was counted meanwhile is of no window
	if e != nil {
		return errors.Join(err, e, g.takeOff())
	}
	g.rate.on(now(), n) // for a failure, too: the next pause follows from it
	return err
}

func (g *governed) takeOff() error {
	if g.probes == nil {
		return nil
	}
	err := g.probes.Close()
	g.probes = nil
	return err
}

// governAll has a goroutine of its own: that other brokers are looked at must not
// keep a JVM waiting.
func (l *live) governAll(ctx context.Context) error {
	if l.config.MaxWaitsRate == 0 {
		<-ctx.Done() // the end of a loop is taken for the run's: what was written to JVMs is undone
		return nil
	}
	for {
		time.Sleep(governEach - time.Duration(now())%governEach) // the beat of the others
		if ctx.Err() != nil {
			return nil
		}
		for _, g := range l.governed.list() {
			l.check(ctx, g)
		}
	}
}

func (g *governors) list() (all []*governed) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for x := range g.all {
		all = append(all, x)
	}
	return all
}

// check decides on one JVM.
func (l *live) check(ctx context.Context, g *governed) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
	case g.probes == nil:
		if g.rate.due(now()) {
			l.comeBack(ctx, g)
		}
	default:
		n, err := l.kernel.Enters(g.pid)
		if err != nil {
			l.log.Debug("count of contended enters", "pid", g.pid, "error", err)
		} else if g.rate.tooMany(now(), n) {
			l.goAway(ctx, g)
		}
	}
}

// goAway takes the probes off. What the assembler hears of them after it was
// told so it lets go of: that is told first, unless that takes too long.
func (l *live) goAway(ctx context.Context, g *governed) {
	soon, cancel := context.WithTimeout(ctx, tellWithin)
	told := l.tell(soon, g.pid, false)
	cancel()
	began := now()
	err := g.takeOff()
	g.rate.off(now())
	l.log.Warn("too many waits for Java monitors: the probes are taken off for a while", "pid", g.pid,
		"waits_per_second", int(g.rate.last), "max_waits_rate", l.config.MaxWaitsRate,
		"took", time.Duration(now()-began), "back_in", time.Duration(g.rate.pause), "error", err)
	if !told {
		l.tell(ctx, g.pid, false)
	}
}

// comeBack puts the probes on again. Waits that began before are not seen.
func (l *live) comeBack(ctx context.Context, g *governed) {
	if err := l.putOn(g); err != nil {
		g.rate.off(now())
		l.log.Warn("monitor waits are still not seen: the probes do not attach again", "pid", g.pid, "error", err,
			"next_try_in", time.Duration(g.rate.pause))
		return
	}
	l.tell(ctx, g.pid, true)
	l.log.Info("the monitor probes are back", "pid", g.pid)
}

// tell makes it known to all stages, from this moment on, whether a JVM's
// monitors are watched; false: ctx ended first.
func (l *live) tell(ctx context.Context, pid int32, on bool) (done bool) {
	l.do(ctx, func() {
		w := recording.Watched{PID: pid, Time: now(), On: on}
		l.fact(recording.Fact{Watched: &w})
		l.watch(w)
		done = true
	})
	return done
}
