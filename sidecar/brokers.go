package sidecar

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
	"github.com/tailspan/tailspan/spans/otlp"
)

const (
	procRoot = "/proc"
	lookEach = time.Second
	// noBroker is how long a first broker is waited for.
	noBroker = 10 * time.Second
)

// hunt is what is known of the processes of this host.
type hunt struct {
	traced map[int32]*traced
	left   map[jvm.Process]bool // looked at, and no broker
	failed map[jvm.Process]bool // could not be looked at, and that was said
	met    bool                 // there was a broker
}

// traced is a broker with what is attached to it.
type traced struct {
	jvm.Process
	jvm    jvmProbes
	naming *naming // nil: its threads are not asked for
}

// followBrokers finds brokers as they start, and lets go of them as they end.
func (l *live) followBrokers(ctx context.Context) error {
	l.hunt.traced, l.hunt.left, l.hunt.failed = map[int32]*traced{}, map[jvm.Process]bool{}, map[jvm.Process]bool{}
	defer l.detach()
	started := time.Now()
	for first := true; ; first = false {
		found, err := l.look(ctx)
		if err != nil {
			return err
		}
		if first && l.config.Port != 0 { // after the brokers' own, which say whose they are
			l.do(ctx, l.setPorts)
		}
		l.hunt.met = l.hunt.met || found
		if !l.hunt.met && l.config.Port == 0 && time.Since(started) > noBroker {
			return fmt.Errorf("%w: no Kafka broker runs on this host; start one, or name its process with --pid or its port with --port", ErrNothing)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookEach):
		}
	}
}

func (l *live) detach() {
	l.flags.close()
	for _, t := range l.hunt.traced {
		t.jvm.close()
		t.naming.stop()
	}
}

// look goes through the host's processes once; found says that there is a
// broker, if only a starting one.
func (l *live) look(ctx context.Context) (found bool, err error) {
	for pid, t := range l.hunt.traced {
		if !jvm.Alive(procRoot, t.Process) {
			l.leave(ctx, pid)
		}
	}
	candidates, err := l.candidates()
	if err != nil {
		return false, err
	}
	l.prune(candidates)
	for _, p := range candidates {
		if l.hunt.traced[p.PID] != nil {
			found = true
			continue
		}
		if l.hunt.left[p] {
			continue
		}
		found = l.inspect(ctx, p) || found
	}
	return found, nil
}

// prune forgets the processes that are no more.
func (l *live) prune(candidates []jvm.Process) {
	gone := func(p jvm.Process, _ bool) bool { return !slices.Contains(candidates, p) }
	maps.DeleteFunc(l.hunt.left, gone)
	maps.DeleteFunc(l.hunt.failed, gone)
}

func (l *live) candidates() ([]jvm.Process, error) {
	if l.config.PID == 0 {
		return jvm.Candidates(procRoot)
	}
	pid := int32(l.config.PID)
	if t := l.hunt.traced[pid]; t != nil {
		return []jvm.Process{t.Process}, nil
	}
	b, err := jvm.Inspect(procRoot, pid)
	if err != nil && l.hunt.met {
		return nil, nil // it ended; nobody else was asked for
	}
	if err != nil {
		return nil, fmt.Errorf("%w: --pid %d: %w", ErrNothing, l.config.PID, err)
	}
	return []jvm.Process{b.Process}, nil
}

// inspect takes up a process if it is a broker that listens.
func (l *live) inspect(ctx context.Context, p jvm.Process) bool {
	b, err := jvm.Inspect(procRoot, p.PID)
	switch {
	case errors.Is(err, jvm.ErrGone):
		return false
	case errors.Is(err, jvm.ErrNotBroker):
		l.hunt.left[p] = true // for good: a controller, say
		return false
	case err != nil: // it may still be starting: it is looked at again
		if !l.hunt.failed[p] {
			l.log.Warn("a process that looks like a broker cannot be looked at; it is tried again", "pid", p.PID, "error", err)
		}
		l.hunt.failed[p] = true
		return false
	case b.Starting:
		return true
	}
	l.attach(ctx, &b)
	return true
}

// attach begins to trace a broker: all stages know it before its first record
// comes, and its probes fire before its first packet comes, so that no request
// is seen whose write is not.
func (l *live) attach(ctx context.Context, b *jvm.Broker) {
	t := &traced{Process: b.Process}
	l.hunt.traced[b.PID] = t
	r := l.broker(b)
	for _, dir := range b.LogDirs {
		l.topics.AddLogDir(b.PID, dir)
	}
	l.appends.adopt(b.PID, b.LogDirs)
	l.do(ctx, func() {
		l.fact(recording.Fact{Broker: &r})
		l.adopt(r, b.LogDirs)
	})
	if l.kernel != nil {
		l.attachKernel(ctx, b, r, t)
	}
	l.do(ctx, l.setPorts)
	l.log.Info("tracing broker", "pid", b.PID, "node", b.NodeID, "cluster", b.ClusterID,
		"listeners", r.Listeners, "log_dirs", b.LogDirs, "jdk", b.JDK)
	for _, p := range b.Problems {
		l.log.Warn("not all of the broker can be seen", "pid", b.PID, "what", p)
	}
}

func (l *live) attachKernel(ctx context.Context, b *jvm.Broker, r recording.Broker, t *traced) {
	for _, kind := range r.Devices {
		l.warnMissing(kind)
	}
	for dev := range r.Devices {
		if err := l.kernel.WatchDevice(uint32(dev)); err != nil {
			l.log.Warn("journal commits of a log dir cannot be seen", "pid", b.PID, "device", dev, "error", err)
		}
	}
	l.watchDisks(r)
	t.jvm.life = l.attachLife(b)
	t.naming = l.nameThreads(ctx, b) // after the probe at their start, before all others
	t.jvm.parks = l.attachParks(b)
	t.jvm.monitors = l.attachMonitors(b)
	if err := l.kernel.Trace(b.PID); err != nil {
		l.log.Error("the broker's writes cannot be seen", "pid", b.PID, "error", err)
	}
}

// leave lets go of a broker that has ended.
func (l *live) leave(ctx context.Context, pid int32) {
	t := l.hunt.traced[pid]
	delete(l.hunt.traced, pid)
	l.flags.release(t.Process)
	t.jvm.close()
	l.forgetThreads(ctx, t)
	if l.kernel != nil {
		if err := l.kernel.Untrace(pid); err != nil {
			l.log.Debug("untrace", "pid", pid, "error", err)
		}
	}
	if l.config.PID != 0 {
		l.log.Warn("the broker has ended, and no other was asked for", "pid", pid)
		defer l.end()
	} else {
		l.log.Warn("the broker has ended; tracing goes on with others as they come", "pid", pid)
	}
	l.do(ctx, func() {
		g := recording.Gone{PID: pid, Time: now()}
		l.fact(recording.Fact{Gone: &g})
		l.lose(g)
		l.setPorts()
	})
	l.topics.Forget(pid)
	l.appends.forget(pid)
}

// do runs f on the goroutine that owns the decoder.
func (l *live) do(ctx context.Context, f func()) {
	done := make(chan struct{})
	select {
	case l.commands <- func() { f(); close(done) }:
		<-done
	case <-ctx.Done():
	}
}

// setPorts has the kernel hand over the packets of the listeners' ports.
func (l *live) setPorts() {
	if l.packets == nil {
		return
	}
	var ports []uint16
	local := true
	for _, x := range l.listeners() {
		ports = append(ports, x.Addr.Port())
		local = local && x.Addr.Addr().IsLoopback()
	}
	if err := errors.Join(l.packets.SetLoopback(local && len(ports) > 0), l.packets.SetPorts(ports)); err != nil {
		l.log.Error("the broker's packets cannot be captured", "ports", ports, "error", err)
	}
}

// broker is what a recording keeps of a broker.
func (l *live) broker(b *jvm.Broker) recording.Broker {
	r := recording.Broker{PID: b.PID, Cluster: b.ClusterID, Node: b.NodeID, Devices: map[event.Device]string{}, Disks: map[event.Device][]event.Device{}}
	r.JDK, r.Arch, r.OS, r.Kubernetes = b.JDK, runtime.GOARCH, runtime.GOOS, otlp.Kubernetes()
	r.Host, _ = os.Hostname()
	if exe, err := os.Readlink(fmt.Sprintf("%s/%d/exe", procRoot, b.PID)); err == nil {
		r.Executable = strings.TrimSuffix(path.Base(exe), " (deleted)")
	}
	for _, x := range b.Listeners {
		if x.TLS() {
			l.log.Warn("an encrypted listener: its requests cannot be read, traces of them begin at the append", "pid", b.PID,
				"listener", x.Name, "protocol", x.Protocol, "addr", x.Addr, "more", "tailspan doctor")
			r.Encrypted = append(r.Encrypted, x.Addr)
			continue
		}
		r.Listeners = append(r.Listeners, x.Addr)
	}
	r.HeadersFromLog = len(r.Encrypted) > 0 && len(b.LogDirs) > 0 && l.appends.wanted()
	for _, dir := range b.LogDirs {
		dev, kind, err := fileSystem(dir)
		if err != nil {
			l.log.Warn("a log dir cannot be looked at", "pid", b.PID, "dir", dir, "error", err)
			continue
		}
		r.Devices[dev] = kind
		disks, err := disksBelow(sysBlock, dev)
		if err != nil {
			l.log.Warn("the disks below a log dir are not all known: what they do will not be seen", "pid", b.PID, "dir", dir, "error", err)
		}
		if len(disks) > 0 {
			r.Disks[dev] = disks
		}
	}
	return r
}
