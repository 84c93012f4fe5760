package event

import (
	"sync"
	"sync/atomic"
)

// Clock converts between the one clock and Unix time. It is a table of
// calibrations: from instant Mono on, Unix time is Mono + Offset. The instant
// that is converted picks the entry, never the moment of asking, so a replay
// that is given the same table gives the same answers.
//
// An empty Clock takes both as the same (a plain packet capture has no other
// clock than its own). Safe for concurrent use; to convert takes no lock.
type Clock struct {
	mu    sync.Mutex // of Calibrate
	table atomic.Pointer[[]Calibration]
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
	old := c.entries()
	if n := len(old); n > 0 && old[n-1].Offset == k.Offset {
		return
	}
	if len(old) >= maxCalibrations {
		old = append(make([]Calibration, 0, maxCalibrations), old[maxCalibrations/2:]...)
	}
	table := append(old, k) // behind the end of what readers see
	c.table.Store(&table)
}

func (c *Clock) entries() []Calibration {
	if p := c.table.Load(); p != nil {
		return *p
	}
	return nil
}

// Unix is the Unix time of an instant, in ns.
func (c *Clock) Unix(t Time) int64 {
	table := c.entries()
	for i := len(table) - 1; i >= 0; i-- {
		if k := &table[i]; k.Mono <= t || i == 0 {
			return int64(t) + k.Offset
		}
	}
	return int64(t)
}

// Mono is the instant of a Unix time in ns.
func (c *Clock) Mono(unix int64) Time {
	table := c.entries()
	for i := len(table) - 1; i >= 0; i-- {
		if k := &table[i]; int64(k.Mono)+k.Offset <= unix || i == 0 {
			return Time(unix - k.Offset)
		}
	}
	return Time(unix)
}
