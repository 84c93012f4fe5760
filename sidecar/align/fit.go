package align

import "math"

// Line says by how much a clock must be put forward at an instant of its own.
type Line struct {
	at     int64 // ns
	offset float64
	slope  float64 // ns a ns
}

// At is the difference at an instant, in ns.
func (l Line) At(t int64) int64 {
	return int64(math.Round(l.offset + l.slope*float64(t-l.at)))
}

const (
	// memory is how long a pair counts in a fit: after that, e times less. So the
	// line follows what time servers do to the kernel's clock.
	memory = 30e9 // ns
	// apart is how far pairs must lie apart before a slope is made of them, and
	// farApart before that is thought to be a good one: as a standard deviation, times
	// the root of how many there are. Ends of waits vary by 10 µs or 20, so the slope is
	// known to some 60 millionths then, or 20.
	apart    = 0.3e9 // ns
	farApart = 1e9
	// early is how much more a pair counts that lies above the line. Nobody has a
	// monitor before he woke up, but some have it late: so the line shall lie where
	// nine tenths of them are below it, about.
	early = 9
	// steepest is the slope that is believed: what a processor's name says of its
	// frequency is nearer.
	steepest = 0.01
)

// fit is the line through pairs, of which the latest count most: weighted least
// squares of offset over time, with the last pair as the origin.
type fit struct {
	Line
	base            int64 // offset of the origin
	w, x, y, xx, xy float64
}

// add takes the offset at an instant, and whether that lies above the line.
func (f *fit) add(t, offset int64, above bool) {
	if f.w == 0 {
		f.at, f.base = t, offset
	}
	weight := 1.0
	if above {
		weight = early
	}
	f.forget(t)
	f.w += weight
	f.y += weight * float64(offset-f.base)
	f.solve()
}

func (f *fit) solve() {
	if f.known(apart) {
		f.slope = min(max((f.w*f.xy-f.x*f.y)/f.spread(), -steepest), steepest)
	}
	f.offset = float64(f.base) + (f.y-f.slope*f.x)/f.w
}

// learn takes over what another line knows of the slope, if theirs are about the
// same: a counter keeps its frequency when the wall clock is taken anew.
func (f *fit) learn(of *fit) {
	if of.known(farApart) && math.Abs(f.slope-of.slope) < drift {
		f.xx += of.xx - of.x*of.x/of.w
		f.xy += of.xy - of.x*of.y/of.w
		f.solve()
	}
}

func (f *fit) spread() float64 { return f.xx*f.w - f.x*f.x }

// known says whether the pairs lie so far apart.
func (f *fit) known(apart float64) bool { return f.spread() > apart*apart*f.w }

// forget moves the origin to an instant, and has what is far from there count
// less.
func (f *fit) forget(t int64) {
	dx := float64(t - f.at)
	f.at = t
	f.xx += dx * (dx*f.w - 2*f.x)
	f.xy -= dx * f.y
	f.x -= dx * f.w
	keep := math.Exp(-math.Abs(dx) / memory)
	f.w, f.x, f.y, f.xx, f.xy = f.w*keep, f.x*keep, f.y*keep, f.xx*keep, f.xy*keep
}
