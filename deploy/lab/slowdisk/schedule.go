package slowdisk

import (
	"math/rand/v2"
	"time"
)

// Schedule says when the disk holds still. It is fixed by its seed.
type Schedule struct {
	Base   time.Duration // each operation takes at least this
	Every  time.Duration // a stall begins about once in this time; 0: never
	Hold   time.Duration // and lasts this long
	Jitter time.Duration // its begin is moved by up to this
	Seed   uint64
}

// Story is the schedule of the blog post's story: half a second of silence
// every four.
var Story = Schedule{
	Base: time.Millisecond, Every: 4 * time.Second, Hold: 600 * time.Millisecond,
	Jitter: 500 * time.Millisecond, Seed: 1,
}

// Release is when an operation may go on that came at the given time since the
// schedule's start: base later, and not before the end of a stall.
func (s Schedule) Release(at time.Duration) time.Duration {
	out := at + s.Base
	if s.Every <= 0 {
		return out
	}
	if begin := s.stall(at / s.Every); at >= begin && at < begin+s.Hold {
		return max(out, begin+s.Hold)
	}
	return out
}

// stall is the begin of the nth stall; it lies wholly within its period.
func (s Schedule) stall(n time.Duration) time.Duration {
	room := min(s.Jitter, s.Every-s.Hold)
	begin := n * s.Every
	if room > 0 {
		r := rand.New(rand.NewPCG(s.Seed, uint64(n)))
		begin += time.Duration(r.Int64N(int64(room)))
	}
	return begin
}
