package metrics

import "time"

// windowTime is how long at least a greatest value is shown.
const windowTime = time.Minute

// window is the greatest of the values of late. Time passes for it only with
// scrapes: whatever was measured since the one before is in the next, so that
// the max_over_time of what was scraped is the true maximum, however far apart
// the scrapes. A scraper that is slower than a minute beside a faster one sees
// the last minute or two.
type window struct {
	now, before time.Duration
	peak        time.Duration // since the last Totals
}

func (w *window) note(d time.Duration) {
	w.now = max(w.now, d)
	w.peak = max(w.peak, d)
}

// takePeak begins anew.
func (w *window) takePeak() time.Duration {
	d := w.peak
	w.peak = 0
	return d
}

// turn begins a new window.
func (w *window) turn() { w.now, w.before = 0, w.now }

func (w *window) greatest() time.Duration { return max(w.now, w.before) }
