package metrics

import (
	"math"
	"math/bits"
	"time"
)

// edges are the upper bounds of the classic buckets; 65 ms is the default
// objective.
var edges = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	1 * time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 65 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	1 * time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

const (
	classicBuckets = len(edges) + 1 // the last is for what is longer

	// The native buckets: a bucket factor of 1.1 is schema 3, in which bucket k
	// holds what is longer than 2^((k-1)/8) s and not longer than 2^(k/8) s.
	schema    = 3
	perOctave = 1 << schema
	// zeroExponent: what is not longer than 2^-20 s, a microsecond, counts as zero.
	zeroExponent = -20
	// lastExponent: what is longer than 2^14 s, four hours and a half, counts as
	// in the last bucket.
	lastExponent = 14
	firstKey     = zeroExponent*perOctave + 1
	// nativeBuckets are the zero bucket and those after it.
	nativeBuckets = 1 + (lastExponent-zeroExponent)*perOctave
)

// upper is the longest duration in each native bucket, in ns. No bound but some
// powers of two is a whole number of them.
var upper = func() (u [nativeBuckets]uint64) {
	for i := range u {
		u[i] = uint64(math.Floor(1e9 * math.Exp2(float64(firstKey-1+i)/perOctave)))
	}
	u[nativeBuckets-1] = math.MaxUint64
	return u
}()

// cellStart is the first native bucket that a duration can be in, by its length
// in bits and the three bits after its first. A cell is an eighth of its lower
// bound wide, a bucket an eleventh: two steps at most lead to the right one.
var cellStart = func() (start [65 * perOctave]uint16) {
	for c := range start {
		least := uint64(perOctave+c%perOctave) << 60 >> (64 - c/perOctave)
		i := uint16(0)
		for least > upper[i] {
			i++
		}
		start[c] = i
	}
	return start
}()

// nativeIndex is the bucket of a duration in ns.
func nativeIndex(ns uint64) int {
	n := bits.Len64(ns)
	i := int(cellStart[n*perOctave+int(ns<<(64-n)>>60)%perOctave])
	for ns > upper[i] {
		i++
	}
	return i
}

// edgeStart is the first classic bucket of what is in a native one.
var edgeStart = func() (start [nativeBuckets]uint8) {
	for i := 1; i < nativeBuckets; i++ {
		start[i] = uint8(classicFrom(0, upper[i-1]+1))
	}
	return start
}()

func classicFrom(i int, ns uint64) int {
	for i < len(edges) && ns > uint64(edges[i]) {
		i++
	}
	return i
}

// bucketsOf are both buckets of a duration.
func bucketsOf(ns uint64) (native, classic int) {
	native = nativeIndex(ns)
	return native, classicFrom(int(edgeStart[native]), ns)
}
