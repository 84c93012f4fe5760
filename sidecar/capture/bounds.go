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
