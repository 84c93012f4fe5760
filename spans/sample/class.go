package sample

import (
	"math/bits"
	"strconv"
	"time"
)

// Class is what the budget tells candidates of one topic apart by.
type Class uint8

const (
	ClassRest  Class = iota // by the uniform share
	ClassCause              // of a cause of interest, else in time
	ClassError              // failed, however long it took
	ClassSlow               // from the objective to twice that; the next octave is one more
)

const (
	octaves = 12 // of latency over objective: the last has no end
	classes = int(ClassSlow) + octaves

	// unit takes the objective's place where there is none.
	unit = time.Millisecond
)

// String is "rest", "cause" or "error", or from which multiple of the
// objective on: "1x", "2x", "4x" to "2048x".
func (c Class) String() string {
	switch c {
	case ClassRest:
		return "rest"
	case ClassCause:
		return "cause"
	case ClassError:
		return "error"
	}
	return strconv.Itoa(1<<(c-ClassSlow)) + "x"
}

// slowClass is of a latency that is not below the objective.
func slowClass(latency, slo time.Duration) Class {
	if slo <= 0 {
		slo = unit
	}
	octave := bits.Len64(uint64(max(latency/slo, 1))) - 1
	return ClassSlow + Class(min(octave, octaves-1))
}

// fate of what is kept for its class.
func (c Class) fate() Fate {
	switch c {
	case ClassRest:
		return Share
	case ClassCause:
		return OfCause
	case ClassError:
		return Failed
	}
	return Slow
}
