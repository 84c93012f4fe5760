package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/contend"
)

// stretch is what was done in a second.
type stretch struct {
	work    float64 // by the threads that compute, about a microsecond each
	blocked float64 // contended enters
	cpu     float64 // that the JVM had, in seconds
}

// perCPU is the work done in a second of CPU. A machine that has other things to do
// leaves the JVM now more, now less; what the probes take, they take of this.
func (s stretch) perCPU() float64 { return s.work / s.cpu }

// stretch measures for a while.
func (b *jvmBench) stretch(ctx context.Context, p *contend.Program, length time.Duration) (s stretch, err error) {
	before, err := read(p)
	if err != nil {
		return s, err
	}
	if err := wait(ctx, length); err != nil {
		return s, err
	}
	after, err := read(p)
	if err != nil {
		return s, err
	}
	seconds := (after.Time - before.Time).Seconds()
	return stretch{float64(after.Work-before.Work) / seconds, float64(after.Blocked-before.Blocked) / seconds,
		(after.cpu - before.cpu).Seconds() / seconds}, nil
}

type reading struct {
	contend.Counts
	cpu time.Duration // of the process, since it began
}

func read(p *contend.Program) (r reading, err error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(cpuClock(p.PID()), &ts); err != nil {
		return r, fmt.Errorf("read CPU clock of %d: %w", p.PID(), err)
	}
	r.cpu = time.Duration(ts.Nano())
	r.Counts, err = p.Count()
	return r, err
}

// cpuClock is what clock_getcpuclockid(3) returns: CPUCLOCK_SCHED of a process
// (linux/posix-timers.h).
func cpuClock(pid int) int32 { return ^int32(pid)<<3 | 2 }
