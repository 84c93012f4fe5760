package assemble

import (
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
)

const (
	// maxFollowers bounds the replicas of one log.
	maxFollowers = 16
	// maxAdvances bounds the fetches of one follower that are remembered while
	// a request waits for it.
	maxAdvances = 4096
	// afterFetch is how long after the response to a follower's Fetch the one
	// to the producer may leave: both are made by the same handler, and may be
	// sent by two network threads.
	afterFetch = 100 * ms
)

// fetchKey is an exchange of a follower with its leader.
type fetchKey struct {
	conn        event.Conn
	correlation int32
}

// fetch is a follower's Fetch.
type fetch struct {
	lastByte event.Time
	answered event.Time // 0: in work
}

// follower is how far a replica has come with a log.
type follower struct {
	replica  int32
	advances []advance // by offset and time
}

// advance is the first Fetch that told that a follower has all before offset.
type advance struct {
	offset int64
	fetch  *fetch
}

// needed is the follower that an acks=all request waited for: the last one of
// those that had to have its batches.
type needed struct {
	replica int32
	at      event.Time // its Fetch came; 0: none is known to have mattered
	seen    bool       // fetches of these logs were seen at all
}

func (a *Assembler) fetch(e *event.Fetch) {
	b := a.broker(e.PID)
	if len(b.fetches) >= maxFetches {
		clear(b.fetches) // their answers were not seen
	}
	f := &fetch{lastByte: e.LastByte}
	b.fetches[fetchKey{e.Conn, e.CorrelationID}] = f
	for i := range e.Partitions {
		if q := &e.Partitions[i]; q.Topic != "" {
			b.log(q.TopicPartition).advance(e.Replica, q.Offset, f)
		}
	}
}

func (a *Assembler) fetched(e *event.Fetched) {
	for _, b := range a.brokers {
		key := fetchKey{e.Conn, e.CorrelationID}
		if f := b.fetches[key]; f != nil {
			f.answered = e.Time
			delete(b.fetches, key)
			return
		}
	}
}

// advance notes how far a follower has come. What no request waits for any
// more is forgotten.
func (l *log) advance(replica int32, offset int64, f *fetch) {
	i := slices.IndexFunc(l.followers, func(x follower) bool { return x.replica == replica })
	if i < 0 {
		if len(l.followers) >= maxFollowers {
			return
		}
		i = len(l.followers)
		l.followers = append(l.followers, follower{replica: replica})
	}
	x := &l.followers[i]
	n := len(x.advances)
	if n > 0 && x.advances[n-1].offset > offset {
		n = 0 // the log was truncated
	}
	if n > 0 && x.advances[n-1].offset == offset {
		return
	}
	if n >= maxAdvances || len(l.waiting) == 0 {
		n = 0
	}
	x.advances = append(x.advances[:n], advance{offset, f})
}

// reached is the first Fetch that told that the follower has all before end;
// nil where it has not, or that is forgotten.
func (x *follower) reached(end int64) *fetch {
	i, _ := slices.BinarySearchFunc(x.advances, end, func(v advance, end int64) int {
		if v.offset < end {
			return -1
		}
		return 1
	})
	if i == len(x.advances) {
		return nil
	}
	return x.advances[i].fetch
}

// replicated finds the follower that an answered acks=all request waited for:
// the one whose first Fetch beyond the request's batches came last before the
// response, if the response left while that Fetch was handled. Otherwise the
// in-sync replicas changed, or it is not known.
func (r *request) replicated() {
	if r.ev.Acks != -1 {
		return
	}
	var last *fetch
	for i := range r.parts {
		p := &r.parts[i]
		if p.base < 0 {
			continue
		}
		end := p.base + max(1, int64(p.asked().Records))
		for k := range p.log.followers {
			x := &p.log.followers[k]
			r.follower.seen = true
			if f := x.reached(end); f != nil && f.lastByte <= r.end && (last == nil || f.lastByte > last.lastByte) {
				last, r.follower.replica = f, x.replica
			}
		}
	}
	if last != nil && (last.answered == 0 || r.end-last.answered <= afterFetch) {
		r.follower.at = last.lastByte
	}
}
