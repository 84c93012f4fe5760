package page

import (
	"math/bits"
	"slices"
)

const (
	blockSize = 1 << 14

	// A value's bucket is its leading bits: subBits after the first.
	subBits    = 7
	histogramN = (64 - subBits) << subBits
	// HistogramError is how far a percentile out of the histogram may be from the
	// true one, as a share of it: half a bucket.
	HistogramError = 1.0 / (2 << subBits)

	valueBits = 48 // of a latency, beside its group: 78 hours
	maxValue  = 1<<valueBits - 1
)

// latencies keeps what is needed for exact percentiles of all values and of each
// of up to 65,536 groups of them. Count, sum and greatest are exact whatever comes.
type latencies struct {
	limit     uint64     // of values kept singly
	full      [][]uint64 // blocks of group<<valueBits | value, that do not change any more
	last      []uint64
	histogram []uint64 // nil as long as every value is there
	count     uint64
	sum, max  int64
}

func (l *latencies) add(group uint16, ns int64) {
	ns = max(ns, 0)
	l.count++
	l.sum += ns
	l.max = max(l.max, ns)
	if l.histogram != nil {
		l.histogram[bucketOf(uint64(ns))]++
		return
	}
	if len(l.last) == cap(l.last) {
		l.grow()
	}
	l.last = append(l.last, uint64(group)<<valueBits|uint64(min(ns, maxValue)))
	if l.count >= l.limit {
		l.blur()
	}
}

func (l *latencies) grow() {
	if l.last != nil {
		l.full = append(l.full, l.last)
	}
	l.last = make([]uint64, 0, blockSize)
}

// blur gives up the single values for their histogram.
func (l *latencies) blur() {
	l.histogram = make([]uint64, histogramN)
	for _, block := range append(l.full, l.last) {
		for _, v := range block {
			l.histogram[bucketOf(v&maxValue)]++
		}
	}
	l.full, l.last = nil, nil
}

// bucketOf is exact up to twice the number of sub-buckets.
func bucketOf(v uint64) int {
	e := max(0, bits.Len64(v)-subBits-1)
	return e<<subBits + int(v>>e)
}

// bucketMiddle is the value in the middle of a bucket.
func bucketMiddle(i int) int64 {
	e := max(0, i>>subBits-1)
	low := uint64(i-e<<subBits) << e
	return int64(low + uint64(1)<<e/2)
}

// frozen is what latencies were at one moment, sorted.
type frozen struct {
	values    []uint64 // of all, by value
	groups    []uint64 // by group, then by value
	histogram []uint64
	count     uint64
	sum, max  int64
}

// copy is cheap, so that it can be done under a lock; sort is not.
func (l *latencies) copy() *frozen {
	f := &frozen{histogram: slices.Clone(l.histogram), count: l.count, sum: l.sum, max: l.max}
	f.groups = make([]uint64, 0, len(l.full)*blockSize+len(l.last))
	for _, block := range l.full {
		f.groups = append(f.groups, block...)
	}
	f.groups = append(f.groups, l.last...)
	return f
}

// sort makes percentiles ready.
func (f *frozen) sort() *frozen {
	slices.Sort(f.groups)
	if n := len(f.groups); n == 0 || f.groups[n-1] <= maxValue { // there is but the first group
		f.values = f.groups
		return f
	}
	f.values = make([]uint64, len(f.groups))
	for i, v := range f.groups {
		f.values[i] = v & maxValue
	}
	slices.Sort(f.values)
	return f
}

// exact says whether percentiles are without error.
func (f *frozen) exact() bool { return f.histogram == nil }

// rank is the nearest rank, from 1, of so many thousandths of n values.
func rank(n uint64, thousandths uint64) uint64 {
	hi, lo := bits.Mul64(n, thousandths)
	lo, carry := bits.Add64(lo, 999, 0)
	q, _ := bits.Div64(hi+carry, lo, 1000)
	return max(q, 1)
}

// at is the value of a rank from 1 to count.
func (f *frozen) at(rank uint64) int64 {
	switch {
	case f.count == 0:
		return 0
	case f.exact():
		return int64(f.values[min(rank, f.count)-1])
	case rank >= f.count:
		return f.max
	}
	for i, n := range f.histogram {
		if n >= rank {
			return min(bucketMiddle(i), f.max)
		}
		rank -= n
	}
	return f.max
}

// group is the sorted values of one group; nil where they are not known singly.
func (f *frozen) group(g uint16) []uint64 {
	from, _ := slices.BinarySearch(f.groups, uint64(g)<<valueBits)
	to, found := slices.BinarySearch(f.groups, uint64(g)<<valueBits|maxValue)
	for ; found && to < len(f.groups) && f.groups[to] == uint64(g)<<valueBits|maxValue; to++ {
	}
	return f.groups[from:to]
}
