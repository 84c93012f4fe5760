package contend

import (
	"cmp"
	"slices"
)

// Share is the part of a wait that one holder is behind.
type Share struct {
	Thread int // index
	NS     int64
}

// clockSlack is how much the clocks of log and wait may differ: one is read by
// vDSO, the other by BPF and converted to Unix time and back.
const clockSlack = 50_000

// Truth is what the log says of the wait of a thread, by the kernel's id, from
// start to end by CLOCK_MONOTONIC: who held the lock meanwhile, in order. ok is
// false where the log has no such wait.
func (l *Log) Truth(tid int32, start, end int64) (shares []Share, ok bool) {
	thread := slices.IndexFunc(l.Threads, func(t Thread) bool { return t.TID == tid })
	if thread < 0 {
		return nil, false
	}
	own := l.of[thread]
	i, _ := slices.BinarySearchFunc(own, end-clockSlack, func(h Hold, at int64) int { return cmp.Compare(h.Got, at) })
	if i == len(own) || own[i].Asked > start+clockSlack {
		return nil, false
	}
	all := l.Holds[own[i].Lock]
	k, _ := slices.BinarySearchFunc(all, own[i].Got, func(h Hold, at int64) int { return cmp.Compare(h.Got, at) })
	return cut(all[:k], start, end), true
}

// cut divides a wait at the releases of those that held the lock before its end.
func cut(holds []Hold, start, end int64) (shares []Share) {
	i := len(holds)
	for i > 0 && holds[i-1].Released > start {
		i--
	}
	for from := start; i < len(holds); i++ {
		to := max(from, min(holds[i].Released, end))
		shares = append(shares, Share{holds[i].Thread, to - from})
		from = to
	}
	return shares
}

// Main is the holder with the longest share, the first of equals.
func Main(shares []Share) (main Share, ok bool) {
	for i, s := range shares {
		if i == 0 || s.NS > main.NS {
			main = s
		}
	}
	return main, len(shares) > 0
}
