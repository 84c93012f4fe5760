package sidecar

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

const (
	calibrateEach  = event.Time(time.Second)
	calibrateTries = 5
	clockJump      = 10 * time.Microsecond // a step or a slew of the clock: taken at once
)

// calibrate measures the distance of the clocks and takes it over once a
// second, or at once where it jumped; it returns what was last taken over.
func (l *live) calibrate(last event.Calibration) event.Calibration {
	k := measure()
	jump := time.Duration(k.Offset - last.Offset).Abs()
	if last.Mono != 0 && k.Mono-last.Mono < calibrateEach && jump < clockJump {
		return last
	}
	l.fact(recording.Fact{Clock: &k})
	l.clock.Calibrate(k)
	return k
}

// measure is the distance of the clocks now.
func measure() event.Calibration {
	at, ns := closest(unix.CLOCK_REALTIME)
	mono := instant(at)
	return event.Calibration{Mono: mono, Offset: ns - int64(mono)}
}

// now is the one clock. Go's own monotonic time is CLOCK_MONOTONIC too, and
// costs no system call.
func now() event.Time { return instant(time.Now()) }

func instant(t time.Time) event.Time { return event.Time(startMono) + event.Time(t.Sub(startTime)) }

var startTime, startMono = closest(unix.CLOCK_MONOTONIC)

// closest reads a clock (ns) between two looks at Go's own, and takes the
// closest of a few such pairs, for the process may have been kept from running
// between the two.
func closest(clock int32) (at time.Time, ns int64) {
	width := time.Duration(math.MaxInt64)
	for range calibrateTries {
		before := time.Now()
		var ts unix.Timespec
		_ = unix.ClockGettime(clock, &ts)
		if w := time.Since(before); w < width {
			width, at, ns = w, before.Add(w/2), ts.Nano()
		}
	}
	return at, ns
}
