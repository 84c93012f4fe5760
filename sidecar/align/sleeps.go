package align

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// Least is the shortest sleep, and wait, by which clocks are compared: there are
	// many shorter ones, and those who wait that long do not spin.
	Least = int64(100 * time.Microsecond)
	// longest is what fits into a sleep.
	longest = math.MaxUint32
	// maxSleeps bounds the sleeps that are kept: 16 bytes each.
	maxSleeps = 1 << 22
)

// Sleeps are the times that threads slept. Where they are too many, the short
// ones are forgotten.
type Sleeps struct {
	all   []sleep
	least int64
}

type sleep struct {
	end    int64 // ns
	length uint32
	tid    int32
}

func (s *sleep) start() int64 { return s.end - int64(s.length) }

// Add takes a sleep of a thread, in ns of any clock.
func (s *Sleeps) Add(tid int32, start, end int64) {
	if len(s.all) == maxSleeps {
		s.thin()
	}
	if length := end - start; length >= max(s.least, Least) && length <= longest {
		s.all = append(s.all, sleep{end, uint32(length), tid})
	}
}

// Len is how many are kept.
func (s *Sleeps) Len() int { return len(s.all) }

// thin forgets the shortest quarter, or more.
func (s *Sleeps) thin() {
	for s.least = max(s.least, Least); len(s.all) > maxSleeps/4*3; {
		s.least += s.least / 4
		s.all = slices.DeleteFunc(s.all, func(x sleep) bool { return int64(x.length) < s.least })
	}
}

// byThread are the sleeps of each thread, by their ends.
func (s *Sleeps) byThread() map[int32][]sleep {
	slices.SortFunc(s.all, func(a, b sleep) int {
		return cmp.Or(cmp.Compare(a.tid, b.tid), cmp.Compare(a.end, b.end), cmp.Compare(a.length, b.length))
	})
	m := map[int32][]sleep{}
	for i := 0; i < len(s.all); {
		k := i
		for k < len(s.all) && s.all[k].tid == s.all[i].tid {
			k++
		}
		m[s.all[i].tid] = s.all[i:k]
		i = k
	}
	return m
}
