package metrics

import (
	"math"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// Totals are sums over all brokers, topics and devices, at one instant: of the
// very counts that a scrape shows.
type Totals struct {
	Produce, Write, Commit Durations
	Bytes, Records         uint64                 // as they were asked for, refused ones included
	Slow                   map[spans.Cause]uint64 // by root cause
}

// Durations are counted in the native buckets.
type Durations struct {
	buckets [nativeBuckets]uint64
	// Max is the longest since the Totals before.
	Max time.Duration
}

// Totals fills them in. The greatest values begin anew each time, so they are
// one reader's. It holds up whoever measures, some 50 µs a hundred histograms.
func (m *Metrics) Totals(t *Totals) {
	*t = Totals{Slow: map[spans.Cause]uint64{}}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.brokers.each(func(b *broker) {
		t.Produce.Max = max(t.Produce.Max, b.produceMax.takePeak())
		t.Write.Max = max(t.Write.Max, b.writeMax.takePeak())
		t.Write.add(b.durations[write])
		for _, x := range b.traffic {
			if x != nil {
				t.traffic(x)
			}
		}
	})
	m.devices.each(func(d *device) {
		t.Commit.Max = max(t.Commit.Max, d.commitMax.takePeak())
		t.Commit.add(d.durations[commit])
	})
}

func (t *Totals) traffic(x *traffic) {
	t.Produce.add(x.duration)
	t.Bytes += x.bytes
	t.Records += x.records
	for c, n := range x.slow {
		t.Slow[c.root] += n.n
	}
}

func (d *Durations) add(s *series) {
	if s == nil {
		return
	}
	for i, n := range s.native {
		d.buckets[i] += n
	}
}

// Since is what came after an earlier one, but for Max.
func (d *Durations) Since(before *Durations) (after Durations) {
	for i := range d.buckets {
		after.buckets[i] = d.buckets[i] - before.buckets[i]
	}
	return after
}

// Count is how many there are.
func (d *Durations) Count() (n uint64) {
	for _, c := range d.buckets {
		n += c
	}
	return n
}

// Error is by how much a quantile may be wrong, either way: a bucket is 9 % wide,
// and its geometric middle is taken.
const Error = 0.045

// Quantile is the least duration that a share q of all do not exceed, within
// Error; 0 without any. Of a microsecond and less it is no more than that.
func (d *Durations) Quantile(q float64) time.Duration {
	n := d.Count()
	if n == 0 {
		return 0
	}
	rank := min(uint64(math.Ceil(q*float64(n))), n)
	if rank == n && d.Max > 0 {
		return d.Max
	}
	i := 0
	for seen := d.buckets[0]; seen < max(rank, 1); seen += d.buckets[i] {
		i++
	}
	middle := time.Duration(upper[0])
	if i > 0 {
		middle = time.Duration(math.Sqrt(float64(upper[i-1]) * float64(min(upper[i], math.MaxInt64))))
	}
	if d.Max > 0 {
		return min(middle, d.Max)
	}
	return middle
}
