package event

import "sync"

// Clock converts between the one clock and Unix time. It is a table of
// calibrations: from instant Mono on, Unix time is Mono + Offset. The instant
// that is converted picks the entry, never the moment of asking, so a replay
// that is given the same table gives the same answers.
//
// An empty Clock takes both as the same (a plain packet capture has no other
// clock than its own). Safe for concurrent use.
type Clock struct {
	mu    sync.RWMutex
	table []Calibration
}

// Calibration is one measurement of the distance between the clocks.
type Calibration struct {
	Mono   Time  `json:"mono"`
	Offset int64 `json:"offset"` // Unix - Mono, in ns
}

// maxCalibrations bounds the table; the older half is forgotten beyond it
// (at one a second, more than an hour is kept).
const maxCalibrations = 8192

// Calibrate adds a measurement; measurements arrive in the order of time.
func (c *Clock) Calibrate(k Calibration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.table); n > 0 && c.table[n-1].Offset == k.Offset {
		return
	}
	if len(c.table) >= maxCalibrations {
		c.table = append(c.table[:0], c.table[maxCalibrations/2:]...)
	}
	c.table = append(c.table, k)
}

// Unix is the Unix time of an instant, in ns.
func (c *Clock) Unix(t Time) int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := len(c.table) - 1; i >= 0; i-- {
		if k := c.table[i]; k.Mono <= t || i == 0 {
			return int64(t) + k.Offset
		}
	}
	return int64(t)
}

// Mono is the instant of a Unix time in ns.
func (c *Clock) Mono(unix int64) Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := len(c.table) - 1; i >= 0; i-- {
		if k := c.table[i]; int64(k.Mono)+k.Offset <= unix || i == 0 {
			return Time(unix - k.Offset)
		}
	}
	return Time(unix)
}
