package align

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

// drifting is a clock that is off by an offset at the begin and by millionths of
// the time since, and takes the right time anew every so often (0: never).
func drifting(offset time.Duration, millionths float64, anew time.Duration) func(int64) (int64, int) {
	return func(t int64) (int64, int) {
		since, chunk := t-begin, 0
		if anew > 0 {
			chunk = int(since / int64(anew))
			since -= int64(chunk) * int64(anew)
		}
		return t + int64(offset) + int64(math.Round(float64(since)*millionths/1e6)), chunk
	}
}

// The clock is found, whatever it is: each wait is where it was, but for some at a
// border that nothing tells of.
func TestAlign(t *testing.T) {
	const unknown = -1
	for _, x := range []struct {
		name  string
		in    weather
		jumps int
		wrong int // waits that may be elsewhere
	}{
		{"exact", weather{seconds: 20, clock: same}, 0, 0},
		{"late", weather{seconds: 20, clock: drifting(-1800*time.Millisecond, 0, 0)}, 0, 0},
		{"slow", weather{seconds: 60, clock: drifting(-30*time.Millisecond, -2350, 0)}, 0, 0},
		{"fast", weather{seconds: 60, clock: drifting(0, 5000, 0)}, 0, 0},
		{"very slow", weather{seconds: 60, clock: drifting(0, -9000, 0)}, 0, 0},
		{"for an hour", weather{seconds: 3600, clock: drifting(0, -2350, 0)}, 0, 0},
		{"fast, anew", weather{seconds: 100, clock: drifting(0, 2350, 30*time.Second)}, 3, 0},
		{"slow, anew", weather{seconds: 100, clock: drifting(0, -2350, 30*time.Second)}, 3, 3},
		{"anew, in the first window", weather{seconds: 20, clock: drifting(0, -8000, 3*time.Second)}, 6, 6},
		{"recorded from the middle on", weather{seconds: 100, from: 50 * second, clock: drifting(0, -2350, 0)}, 0, 0},
		{"an hour after the other", weather{seconds: 30, before: 3600 * second, clock: drifting(-8500*time.Millisecond, -2350, 0)}, 0, 0},
		{"half of the sleeps", weather{seconds: 60, lost: 0.5, clock: drifting(0, -2350, 0)}, 0, 0},
		{"bursts", weather{seconds: 60, burst: true, clock: drifting(0, 2350, 0)}, 0, 0},
		{"one burst", weather{seconds: 4, burst: true, clock: drifting(0, 2350, 0)}, 0, 0},
		{"no sleeps", weather{seconds: 20, lost: 1, clock: drifting(0, 2350, 0)}, unknown, 0},
		{"few sleeps", weather{seconds: 20, lost: 0.9, clock: drifting(0, 2350, 0)}, unknown, 0},
		{"another day", weather{seconds: 60, clock: drifting(time.Hour, 2350, 0)}, unknown, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			if testing.Short() && x.in.seconds > 100 {
				t.Skip("takes a second")
			}
			w := x.in.make(1)
			start := time.Now()
			a := w.align()
			t.Logf("%v for %d waits, %d sleeps: %d able, %d paired, %d jumps, %d pieces; late %v, %v", time.Since(start), len(w.seen), w.sleeps.Len(),
				a.Able, a.Paired, a.Jumps, len(a.Pieces), a.Late(0.5), a.Late(0.99))
			if x.jumps == unknown {
				if a.Found() {
					t.Error("a clock was found")
				}
				return
			}
			if !a.Found() || a.Jumps != x.jumps {
				t.Fatalf("found: %v, %d jumps, want %d", a.Found(), a.Jumps, x.jumps)
			}
			var off []int64
			wrong := 0
			a.Each(len(w.seen), func(i int, l Line) {
				w, g := w.was[i], w.seen[i]
				far := max(abs(g.Start+l.At(g.Start)-w.Start), abs(g.End+l.At(g.End)-w.End))
				off = append(off, far)
				if far > 30_000 {
					wrong++
				}
			})
			slices.Sort(off)
			t.Logf("off: median %v, 99 %% %v, most %v", time.Duration(off[len(off)/2]), time.Duration(off[len(off)*99/100]), time.Duration(off[len(off)-1]))
			if wrong > x.wrong {
				t.Errorf("%d waits are not where they were, at most %d should be", wrong, x.wrong)
			}
		})
	}
}

func abs(n int64) int64 { return max(n, -n) }

// What another broker's threads slept is no clock.
func TestStrangers(t *testing.T) {
	x := weather{seconds: 20, clock: same}
	w, other := x.make(1), x.make(2)
	w.sleeps = other.sleeps
	if a := w.align(); a.Found() {
		t.Errorf("a clock was found: %d of %d", a.Paired, a.Able)
	}
}

// Where all happens every 10 ms, any multiple of that could be.
func TestPeriodic(t *testing.T) {
	w := &world{since: begin}
	for i := range int64(2000) {
		at := begin + i*10_000_000
		w.sleeps.Add(1, at, at+200_000)
		w.seen = append(w.seen, Wait{at - 10_000 + 40_000_000, at + 210_000 + 40_000_000, 1})
	}
	if a := w.align(); a.Found() {
		t.Errorf("a clock was found: %d of %d, %v", a.Paired, a.Able, a.Pieces)
	}
}

// The same gives the same.
func TestAlignAgain(t *testing.T) {
	x := weather{seconds: 30, clock: drifting(0, 2350, 10*time.Second)}
	a, b := x.make(3).align(), x.make(3).align()
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%+v, then %+v", a, b)
	}
}

// What is a lot, and says little, takes its time and no more.
func TestManyAlike(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	w := &world{since: begin}
	const n = 1 << 20
	for i := range int64(n) {
		at := begin + i*1000
		w.sleeps.Add(1, at, at+200_000)
		w.seen = append(w.seen, Wait{at, at + 200_000 - i%7, 1})
	}
	start := time.Now()
	a := w.align()
	t.Logf("%v: %d of %d", time.Since(start), a.Paired, a.Able)
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v", took)
	}
}

// Of too many sleeps the long ones are kept.
func TestThin(t *testing.T) {
	var s Sleeps
	for i := range int64(maxSleeps + 1) {
		s.Add(1, i, i+Least+i%7*Least)
	}
	if s.Len() > maxSleeps/4*3+1 || s.Len() < maxSleeps/2 {
		t.Errorf("%d are kept", s.Len())
	}
	s.Add(1, 0, Least)
	s.Add(1, 0, 2*longest)
	s.Add(1, math.MaxInt64, math.MinInt64)
	for _, x := range s.all {
		if int64(x.length) < s.least {
			t.Fatalf("%+v is kept, shorter than %d", x, s.least)
		}
	}
}

// Nothing is nothing.
func TestNothing(t *testing.T) {
	var s Sleeps
	a := s.Align(0, 0, nil)
	a.Each(5, func(int, Line) { t.Error("a line") })
	if a.Found() || a.Late(0.5) != 0 {
		t.Errorf("%+v", a)
	}
}

// FuzzAlign: whatever comes, it ends, and the lines are in order.
func FuzzAlign(f *testing.F) {
	f.Add([]byte("every eight bytes are two waits and a sleep, or the like of it, of threads that are few, at times that are near"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Sleeps
		var waits []Wait
		at := begin
		for len(b) >= 4 {
			start, length, tid := at+int64(int8(b[0]))*1_000_000, int64(b[1])<<(b[2]%40), int32(b[3]%4)
			if b[3]&4 == 0 {
				s.Add(tid, start, start+length)
			} else {
				waits = append(waits, Wait{start, start + length, tid})
			}
			if b[3]&8 == 0 {
				at += int64(b[2]) * 100_000
			}
			b = b[4:]
		}
		last := 0
		a := s.Align(begin, len(waits), func(i int) Wait { return waits[i] })
		for _, p := range a.Pieces {
			if p.From < last || p.From >= len(waits) {
				t.Errorf("a line from %d on, after one from %d on, of %d waits", p.From, last, len(waits))
			}
			last = p.From
		}
		if a.Paired > a.Able || a.Able > len(waits) {
			t.Errorf("%+v", a)
		}
	})
}
