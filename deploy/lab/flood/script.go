package flood

import (
	"errors"
	"fmt"
	"time"
)

// Script says what a flood is made of. Counts are a second, of its own time.
type Script struct {
	Seed        uint64
	Rate        int // produce requests, those that are slow not counted
	For         time.Duration
	Connections int
	Topics      int // every tenth is replicated
	Slow        Slow
}

// Slow is how many requests are slow a second, by why.
type Slow struct {
	Commit      int // the file system's write waits for a journal commit
	Lock        int // the handler waits for the lock of one that does
	Queue       int // no handler takes it from the request queue
	Replication int // acks=all: the follower is behind
}

// Total is all of them.
func (s Slow) Total() int { return s.Commit + s.Lock + s.Queue + s.Replication }

// Times is k times as many of each.
func (s Slow) Times(k int) Slow {
	return Slow{Commit: s.Commit * k, Lock: s.Lock * k, Queue: s.Queue * k, Replication: s.Replication * k}
}

// Default is the flood of the issue: 100,000 a second, of which so few are slow
// that a budget of 1,000 traces a second holds them.
func Default() Script {
	return Script{
		Seed: 1, Rate: 100_000, For: 10 * time.Second, Connections: 1000, Topics: 100,
		Slow: Slow{Commit: 16, Lock: 128, Queue: 40, Replication: 40},
	}
}

// Quick is slower than any quick request; Slowest is longer than any slow one.
const (
	Quick   = 20 * time.Millisecond
	Slowest = 250 * time.Millisecond
)

// stallEach is how often the broker stalls.
const stallEach = 250 * time.Millisecond

// perStall is how many of a count a second are one stall's.
func perStall(perSecond int) int {
	return int(int64(perSecond) * int64(stallEach) / int64(time.Second))
}

// Bounds of a script: below the lowest rate a quick request would take longer than
// Quick, for it takes a few times the pause between two.
const (
	minRate  = 500
	maxRate  = 2_000_000
	minConns = 2 * inFlight
)

func (s *Script) validate() error {
	plain, replicated := s.Topics-s.Topics/replicatedEach, s.Topics/replicatedEach
	switch {
	case s.Rate < minRate || s.Rate > maxRate:
		return fmt.Errorf("script: a rate of %d is not between %d and %d", s.Rate, minRate, maxRate)
	case s.Topics < replicatedEach || s.Topics > 10_000:
		return fmt.Errorf("script: %d topics are not between %d and 10000", s.Topics, replicatedEach)
	case s.Connections < s.Topics || s.Connections < minConns || s.Connections > 20_000:
		return fmt.Errorf("script: %d connections are fewer than topics, or not between %d and 20000", s.Connections, minConns)
	case perStall(s.Slow.Commit) > plain:
		return fmt.Errorf("script: %d commits a stall need as many topics that are not replicated, there are %d", perStall(s.Slow.Commit), plain)
	case perStall(s.Slow.Lock) > 0 && perStall(s.Slow.Commit) == 0:
		return errors.New("script: a lock needs a holder: as many commits as there are stalls a second")
	case perStall(s.Slow.Replication) > maxBehind*replicated:
		return fmt.Errorf("script: %d requests a stall that wait for a follower are more than %d", perStall(s.Slow.Replication), maxBehind*replicated)
	case s.For <= 0:
		return errors.New("script: it takes no time")
	}
	return nil
}
