package sidecar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// contended stands for HotSpot's contended enter.
//
//go:noinline
func contended(n uint64) uint64 { return n + 1 }

// hammer calls it, in bursts of a millisecond, as often a second as is asked.
func hammer(ctx context.Context, rate *atomic.Int64) {
	last, owed, n := now(), 0.0, uint64(0)
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		at := now()
		for owed += float64(rate.Load()) * time.Duration(at-last).Seconds(); owed >= 1; owed-- {
			n = contended(n)
		}
		last = at
	}
}

// governedLive is a run of nothing but the governor, on ourselves.
func governedLive(t *testing.T, limit int, record io.Writer) *live {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := New(Options{Config: config.Config{MaxWaitsRate: limit}, Logger: log, Stdout: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	s.record = recording.NewWriter(record, recording.Header{})
	l := &live{Sidecar: s, commands: make(chan func())}
	if l.kernel, err = bpf.Open(bpf.Options{RingSize: 1 << 16}); err != nil { // soon full: it counts all the same
		t.Fatal(err)
	}
	t.Cleanup(func() { l.kernel.Close() })
	return l
}

// TestGovern: the probes of a process that hits them too often are gone within
// a second, come back, go again, and all of it is noted in its order.
func TestGovern(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to load programs")
	}
	var file bytes.Buffer
	l := governedLive(t, 2000, &file)
	site, err := siteAt("monitor__contended__enter", uint64(reflect.ValueOf(contended).Pointer()))
	if err != nil {
		t.Fatal(err)
	}
	probes, err := l.govern(int32(os.Getpid()), func() (io.Closer, error) {
		return l.kernel.AttachSites(int32(os.Getpid()), "/proc/self/exe", []bpf.USDTSite{site})
	})
	if errors.Is(err, bpf.ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var rate atomic.Int64
	go l.governAll(ctx)
	go hammer(ctx, &rate)
	go func() { // as readPackets does
		for {
			select {
			case do := <-l.commands:
				do()
			case <-ctx.Done():
				return
			}
		}
	}()
	until := func(off int, within time.Duration) time.Duration {
		t.Helper()
		for began := time.Now(); ; time.Sleep(time.Millisecond) {
			if took := time.Since(began); l.monitors.stats().Unwatched == off || took > within {
				if took > within {
					t.Fatalf("%d JVMs are unwatched after %v, want %d", 1-off, took, off)
				}
				return took
			}
		}
	}
	rate.Store(500)
	time.Sleep(time.Second)
	until(0, time.Second)
	rate.Store(20000)
	t.Logf("off after %v", until(1, time.Second))
	rate.Store(0)
	l.endPauses()
	t.Logf("back after %v", until(0, time.Second))
	rate.Store(1500) // above half of it
	t.Logf("off after %v", until(1, time.Second))
	if n := l.monitors.stats().TakenOff; n != 2 {
		t.Errorf("taken off %d times", n)
	}
	if err := probes.Close(); err != nil {
		t.Error(err)
	}
	if n := len(l.governed.list()); n != 0 {
		t.Errorf("%d governed after Close", n)
	}
	end()
	noted(t, l, &file)
}

// TestNoGovernor: without a limit, too, its loop ends with the run and no sooner,
// for with a loop's end the flags of JVMs are put back.
func TestNoGovernor(t *testing.T) {
	l := &live{Sidecar: &Sidecar{log: slog.New(slog.DiscardHandler)}}
	l.flags = l.newProbeFlags()
	ctx, end := context.WithCancel(t.Context())
	wait := l.start(ctx, func(error) {}, l.governAll)
	time.Sleep(10 * time.Millisecond)
	if err := l.flags.enable(jvm.Process{}); err == nil || err.Error() == "the run is ending" {
		t.Errorf("enable: %v", err)
	}
	end()
	wait()
}

// endPauses ends those that are under way.
func (l *live) endPauses() {
	for _, g := range l.governed.list() {
		g.mu.Lock()
		g.rate.until = now()
		g.mu.Unlock()
	}
}

// noted holds the assembler's events and the recording's facts to what happened.
func noted(t *testing.T, l *live, file *bytes.Buffer) {
	t.Helper()
	var turns []bool
	last := event.Time(0)
	l.queue.Advance(now(), func(e event.Event) {
		w, ok := e.(*event.MonitorsWatched)
		if !ok || w.PID != int32(os.Getpid()) || w.Time <= last {
			t.Errorf("%T %+v after %v", e, e, last)
			return
		}
		last, turns = w.Time, append(turns, w.On)
	})
	if want := []bool{false, true, false}; !reflect.DeepEqual(turns, want) {
		t.Errorf("events %v, want %v", turns, want)
	}
	if err := l.record.Close(); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(file.Bytes(), fmt.Appendf(nil, `"monitors_watched":{"pid":%d,`, os.Getpid())); n != 3 {
		t.Errorf("%d facts", n)
	}
}
