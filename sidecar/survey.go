package sidecar

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tailspan/tailspan/sidecar/align"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/probe"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// survey is what must be known of a recording before waits from elsewhere are
// played along with it. For that it is read through once, without its packets.
type survey struct {
	ctx         context.Context
	pid         int32      // who is asked for; 0: the only one
	recording   bool       // it has facts
	first, last event.Time // marks
	clock       event.Clock
	brokers     map[int32]*surveyed
	probes      *probe.Converter
	sleeps      align.Sleeps // of the threads of whom is asked for, by the Unix time of the recording
}

// surveyed is what was seen of one broker.
type surveyed struct {
	threads map[int32]string // by host thread id: the full name, or the kernel's 15 bytes, or ""
	waits   uint64           // for monitors, by probes
	after   event.Time       // the mark after which a replay knows who it is
}

// maxSurveyed bounds the threads of a broker.
const maxSurveyed = 1 << 16

// surveyFile reads a file through, for the broker with a pid, or, without one, the
// only one.
func (s *Sidecar) surveyFile(ctx context.Context, path string, pid int32) (*survey, error) {
	f, err := s.openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v := &survey{ctx: ctx, pid: pid, brokers: map[int32]*surveyed{}}
	v.probes = probe.New(probe.Options{Emit: v.see})
	if err := recording.Play(f, v); err != nil && !errors.Is(err, capture.ErrTruncated) { // the replay says so, at its end
		return nil, err
	}
	return v, nil
}

// Packet tells nothing.
func (v *survey) Packet(capture.Packet) error { return nil }

// Probe looks whose the record is.
func (v *survey) Probe(raw []byte) error {
	v.probes.Record(raw)
	return nil
}

// Fact learns brokers, the clock, and names.
func (v *survey) Fact(f recording.Fact) error {
	v.recording = true
	switch {
	case f.Broker != nil:
		if v.brokers[f.Broker.PID] == nil {
			v.broker(f.Broker.PID).after = v.last
		}
	case f.Clock != nil:
		v.clock.Calibrate(*f.Clock)
	case f.Threads != nil:
		for tid, name := range f.Threads.Names {
			v.thread(event.Thread{PID: f.Threads.PID, TID: tid, Name: name})
		}
	case f.Progress != nil:
		if v.first == 0 {
			v.first = f.Progress.Time
		}
		v.last = max(v.last, f.Progress.Time)
		return v.ctx.Err()
	}
	return nil
}

func (v *survey) see(e event.Event) {
	switch e := e.(type) {
	case *event.Write:
		v.thread(e.Thread)
	case *event.Fsync:
		v.thread(e.Thread)
	case *event.Wake:
		v.thread(e.Thread)
	case *event.MonitorEnter:
		v.broker(e.PID).waits++
	case *event.Park:
		if e.Kernel && (v.pid == 0 || e.PID == v.pid) {
			v.sleeps.Add(e.TID, v.clock.Unix(e.Start), v.clock.Unix(e.End))
		}
	}
}

func (v *survey) broker(pid int32) *surveyed {
	b := v.brokers[pid]
	if b == nil {
		b = &surveyed{threads: map[int32]string{}}
		v.brokers[pid] = b
	}
	return b
}

// thread keeps the longer of the names of a thread: the kernel's are cut.
func (v *survey) thread(t event.Thread) {
	b := v.broker(t.PID)
	name, ok := b.threads[t.TID]
	if (!ok || len(name) < len(t.Name)) && (ok || len(b.threads) < maxSurveyed) {
		b.threads[t.TID] = t.Name
	}
}

// only is the broker that was asked for, if there is no doubt about which.
func (v *survey) only() (int32, error) {
	pid := v.pid
	known := slices.Sorted(maps.Keys(v.brokers))
	switch {
	case len(known) == 0:
		return 0, fmt.Errorf("there is no broker in this recording")
	case pid != 0 && !slices.Contains(known, pid):
		return 0, fmt.Errorf("there is no broker %d in this recording, but %s", pid, listed(known))
	case pid != 0:
		return pid, nil
	case len(known) > 1:
		return 0, fmt.Errorf("there are several brokers in this recording: say with --pid whose they are, %s", listed(known))
	}
	return known[0], nil
}

func listed(pids []int32) string {
	texts := make([]string, len(pids))
	for i, pid := range pids {
		texts[i] = fmt.Sprint(pid)
	}
	return strings.Join(texts, " or ")
}
