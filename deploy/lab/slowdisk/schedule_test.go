package slowdisk

import (
	"testing"
	"time"
)

func TestScheduleHoldsOncePerPeriod(t *testing.T) {
	s := Story
	var held time.Duration
	const step = time.Millisecond
	for at := time.Duration(0); at < 10*s.Every; at += step {
		r := s.Release(at)
		switch wait := r - at; {
		case wait < s.Base:
			t.Fatalf("at %v released after %v, before the base", at, wait)
		case wait > s.Hold+s.Base:
			t.Fatalf("at %v held for %v", at, wait)
		case wait > s.Base:
			held += step
		}
	}
	// The last base of each stall is not told from a usual wait.
	if want := 10 * (s.Hold - s.Base); held != want {
		t.Errorf("held %v of 10 periods, want %v", held, want)
	}
}

func TestSeedsDiffer(t *testing.T) {
	a, b := Story, Story
	b.Seed++
	same := 0
	for n := range time.Duration(20) {
		if a.stall(n) == b.stall(n) {
			same++
		}
	}
	if same > 2 {
		t.Errorf("two seeds agree on %d of 20 stalls", same)
	}
}

func TestScheduleWithoutStalls(t *testing.T) {
	s := Schedule{Base: time.Millisecond}
	if got := s.Release(time.Second); got != time.Second+time.Millisecond {
		t.Errorf("released at %v", got)
	}
}
