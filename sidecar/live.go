package sidecar

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/sidecar/topics"
)

// ErrNothing says that nothing can be traced here.
var ErrNothing = errors.New("nothing can be traced")

const (
	// pulse is how often the sources are read and events handed on. All
	// goroutines keep the same beat, so that an idle process wakes once for
	// all of them: waking costs more than the work at usual rates. The rings
	// (8 MiB of records, 16 MiB of packets) hold what comes in between; a
	// source that filled a sixteenth of its ring since is read at quickPulse.
	pulse       = 100 * time.Millisecond
	quickPulse  = 2 * time.Millisecond
	busyBytes   = 512 << 10
	tickEach    = event.Time(100 * time.Millisecond)
	accountEach = time.Minute
	flushEach   = time.Second
	lastRead    = event.Time(time.Second) // how long the sources may take at the end
	recordRing  = 8 << 20
)

// live is the state of Run.
type live struct {
	*Sidecar
	packets  *capture.Live // nil: not allowed here
	kernel   *bpf.Probes   // nil: not allowed here
	commands chan func()   // done by the packets' goroutine
	named    chan named    // taken by the probes' goroutine
	read     [2]atomic.Int64
	taken    int // bytes of packets in the last read
	drawn    int // bytes of probe records in the last read
	hunt     hunt
	flags    *probeFlags
	governed governors
	end      func()          // ends the run, for there is nothing more to trace
	broken   bool            // the recording broke off, and that was said
	missing  map[string]bool // file systems of which missing probes were said
	absent   atomic.Uint64   // how many these were
}

// Run traces the brokers of this host until ctx ends, or the only one that it
// was asked to trace. It takes from the whole process what it needs no more of
// its capabilities.
func (s *Sidecar) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	l := &live{Sidecar: s, commands: make(chan func()), named: make(chan named), end: end}
	l.flags = l.newProbeFlags()
	l.flags.repair()
	defer l.flags.close()
	defer context.AfterFunc(ctx, l.flags.close)() // at once, whatever holds up the rest
	if err := l.open(); err != nil {
		return err
	}
	defer l.close()
	defer l.task.End()
	if err := l.startRecording(); err != nil {
		return err
	}
	l.giveUp()
	l.newDecoder(l.decoderOptions())
	s.decoder.SetListeners(s.listeners())
	l.calibrate(event.Calibration{})
	l.symbols.Functions(stack.NewKernel(l.log).Function)
	l.appends = newAppendReader(l.config.MessageIDHeader, l.contexts())
	unserve, err := l.serve(sources{l.lost, l.ways})
	if err != nil {
		return l.finish(ctx, err)
	}
	defer unserve()
	unpush, err := l.pushMetrics()
	if err != nil {
		return l.finish(ctx, err)
	}
	defer unpush()

	// The readers outlive ctx by a moment: all sources are read up to the
	// instant at which it ended.
	reading, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	l.showRecording()
	leave := l.startView(reading)
	wait := l.start(reading, stop, l.readPackets, l.readProbes, l.followBrokers, l.governAll, l.appends.run)
	err = l.assemble(ctx, reading)
	stop(err)
	wait()
	leave()
	if cause := context.Cause(reading); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return l.finish(ctx, err)
}

// start runs loops, each on a goroutine, until ctx has ended: not one returns
// before that but with an error, which ends the others. Nothing outlives a panic of one of them but what was
// written to JVMs, so that is undone on its way.
func (l *live) start(ctx context.Context, stop context.CancelCauseFunc, loops ...func(context.Context) error) (wait func()) {
	var wg sync.WaitGroup
	for _, loop := range loops {
		wg.Go(func() {
			defer l.flags.close()
			if err := loop(ctx); err != nil {
				stop(err)
			}
		})
	}
	return wg.Wait
}

// open attaches to what there is; either source alone is worth something.
func (l *live) open() error {
	var none error
	var err error
	if l.packets, err = capture.OpenLive(capture.LiveOptions{Clock: l.clock, BlockTimeout: pulse}); err != nil {
		l.packets, none = nil, err
		l.log.Warn("no packets: requests cannot be seen", "error", err, "do", "run as root, or give CAP_NET_RAW")
	}
	if l.kernel, err = bpf.Open(bpf.Options{RingSize: recordRing, NoVectors: true, NoParks: l.config.Parks != config.ParksKernel, Logger: l.log}); err != nil {
		l.kernel = nil
		l.log.Warn("no probes: only requests can be seen", "error", err, "do", "run as root, or give CAP_BPF and CAP_PERFMON; `tailspan doctor` says more")
		if none != nil {
			return fmt.Errorf("%w: %w", ErrNothing, errors.Join(none, err))
		}
		return nil
	}
	for _, sub := range l.kernel.Status() {
		l.log.Debug("probe", "subject", sub.Name, "backend", sub.Backend)
	}
	l.warnMissing("")
	return nil
}

func (l *live) close() {
	if l.packets != nil {
		l.packets.Close()
	}
	if l.kernel != nil {
		l.kernel.Close()
	}
}

func (l *live) startRecording() (err error) {
	if l.config.Record == "" {
		return nil
	}
	var u unix.Utsname
	_ = unix.Uname(&u)
	l.record, err = recording.Create(l.config.Record, recording.Header{Tailspan: l.version,
		Kernel: unix.ByteSliceToString(u.Release[:]), MessageIDHeader: l.config.MessageIDHeader})
	if err != nil {
		return err
	}
	l.topics.OnLearn(func(pid int32, id [16]byte, name string) {
		l.record.Fact(recording.Fact{Topic: &recording.Topic{PID: pid, ID: topics.FormatID(id), Name: name}})
	})
	return nil
}

// fact records one where a recording is made.
func (l *live) fact(f recording.Fact) {
	if l.record != nil {
		l.record.Fact(f)
	}
}

// readPackets owns the decoder: whatever changes it goes through commands.
func (l *live) readPackets(ctx context.Context) error {
	var ticked event.Time
	var calibrated event.Calibration
	for beat(ctx, l.taken >= busyBytes) {
		l.taken = 0
		select {
		case do := <-l.commands:
			do()
		default:
		}
		calibrated = l.calibrate(calibrated)
		progress, err := l.readOnce()
		if err != nil {
			return fmt.Errorf("read packets: %w", err)
		}
		if progress-ticked >= tickEach {
			ticked = progress
			l.fact(recording.Fact{Tick: &recording.Mark{Time: ticked}})
			l.decoder.Tick(ticked)
		}
		l.read[event.Packets].Store(int64(progress))
	}
	return nil
}

func (l *live) readOnce() (event.Time, error) {
	if l.packets == nil {
		return now(), nil
	}
	return l.packets.Read(0, l.packet)
}

func (l *live) packet(p capture.Packet) {
	l.taken += len(p.Data)
	l.decoder.Packet(p)
}

func (l *live) readProbes(ctx context.Context) error {
	for beat(ctx, l.drawn >= busyBytes) {
		l.drawn = 0
		l.takeNames()
		if l.kernel == nil {
			l.read[event.Probes].Store(int64(now()))
			continue
		}
		drained, err := l.kernel.Read(0, l.probe)
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read probes: %w", err)
		}
		l.read[event.Probes].Store(drained)
	}
	return nil
}

// probe takes a raw record, as it left the ring buffer, but for the addresses of
// the kernel in it: neither the recording nor anything else gets to see these.
func (l *live) probe(raw []byte) {
	l.drawn += len(raw)
	raw, fresh := l.symbols.Hide(raw)
	if fresh != nil {
		l.fact(recording.Fact{Symbols: fresh})
	}
	if l.record != nil {
		l.record.Probe(l.clock.Unix(now()), raw)
	}
	l.probes.Record(raw)
}

// assemble hands on what both sources have got past, in the order of time,
// until ctx has ended and they have got past that instant too.
func (l *live) assemble(ctx, reading context.Context) error {
	flushed, accounted := time.Now(), time.Now()
	var until, patience event.Time = math.MaxInt64, math.MaxInt64
	for beat(reading, false) {
		if ctx.Err() != nil && until == math.MaxInt64 {
			until = now()
			patience = until + lastRead
		}
		mark, err := l.progress()
		if err != nil || mark >= until || now() > patience {
			return err
		}
		if time.Since(flushed) >= flushEach {
			flushed = time.Now()
			l.flushRecording()
		}
		if time.Since(accounted) >= accountEach {
			accounted = time.Now()
			l.account(l.lost())
		}
	}
	return nil
}

// beat sleeps until the next pulse, or less if there is much to do; false says
// that ctx has ended.
func beat(ctx context.Context, busy bool) bool {
	if busy {
		time.Sleep(quickPulse)
	} else {
		time.Sleep(pulse - time.Duration(now())%pulse)
	}
	return ctx.Err() == nil
}

func (l *live) progress() (event.Time, error) {
	mark := event.Time(min(l.read[event.Packets].Load(), l.read[event.Probes].Load()))
	l.takeAppendHeaders()
	l.fact(recording.Fact{Progress: &recording.Mark{Time: mark}})
	return mark, l.advance(mark)
}

// flushRecording tells once that a recording broke off.
func (l *live) flushRecording() {
	if l.record == nil {
		return
	}
	if err := l.record.Flush(); err != nil && !l.broken {
		l.broken = true
		l.log.Error("the recording broke off; tracing goes on", "file", l.config.Record, "error", err, "do", "free some room and start again")
	}
}

// finish ends what is pending; no source is read any more. Events after the
// last mark are let go: of what they are about only a part was seen. It returns
// the error that ended the run, or else its own.
func (l *live) finish(ctx context.Context, err error) error {
	lost := l.lost()
	if n := l.queue.Stats().Pending; n > 0 {
		l.log.Debug("events after the end are let go", "events", n)
	}
	if len(lost) > 0 {
		l.fact(recording.Fact{Losses: lost})
	}
	l.ended()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	if e := l.out.close(end); err == nil {
		err = e
	}
	if !errors.Is(err, ErrNothing) {
		l.account(lost)
	}
	if errors.Is(err, errReaderGone) {
		err = nil
	}
	if l.record != nil {
		err = errors.Join(err, l.record.Close())
	}
	return err
}
