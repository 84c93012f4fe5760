package capture

import "time"

// Bounds are the limits of what a Decoder holds. Zero fields take the default.
type Bounds struct {
	Connections    int           // known at once, the longest idle is evicted; 65536
	HeldBytes      int           // of out-of-order packets, all together; 32 MiB
	HoleTimeout    time.Duration // a hole in a stream may stay open; 1 s
	RequestTimeout time.Duration // a response may be waited for; 2 min
	IdleTimeout    time.Duration // a connection may be silent; 15 min
}

const (
	// maxAhead is how far beyond a hole a stream may go before the hole is
	// given up: more than a receive window is by default.
	maxAhead = 8 << 20
	// maxBehind is how far back a retransmission may lie; further back it is
	// another stream.
	maxBehind = 64 << 20
	// maxEarly is how much of a stream may come before its SYN.
	maxEarly = 1 << 20
	// maxHeld bounds the segments that wait behind the holes of one half.
	maxHeld = 1024
	// maxPooled bounds the storage that is kept for later.
	maxPooled = 64
	// maxPooledPartitions bounds the partitions of storage that is kept.
	maxPooledPartitions = 1024
	// maxUnnamed bounds the topic ids whose names are still looked for.
	maxUnnamed = 1024
	// searchBytes is how much of a half is searched for a frame, byte by byte;
	// from then on only where segments begin.
	searchBytes = 4 << 20
	// tlsSegments in a row that look like TLS records are TLS.
	tlsSegments = 3
	// maxTold bounds the listeners that are reported.
	maxTold = 256

	// sweepEvery is the granularity of all expiry. Sweeps happen at multiples
	// of it, however the packets lie, so that a replay sweeps the same.
	sweepEvery = 100 * time.Millisecond
	// closedFor is how long an ended connection's late segments are known.
	closedFor = 10 * time.Second
	// clockStep is what tells a clock that was set back from reordering.
	clockStep = 10 * time.Second
)

func (b Bounds) withDefaults() Bounds {
	set := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	wait := func(p *time.Duration, v time.Duration) {
		if *p <= 0 {
			*p = v
		}
	}
	set(&b.Connections, 1<<16)
	set(&b.HeldBytes, 32<<20)
	wait(&b.HoleTimeout, time.Second)
	wait(&b.RequestTimeout, 2*time.Minute)
	wait(&b.IdleTimeout, 15*time.Minute)
	return b
}
