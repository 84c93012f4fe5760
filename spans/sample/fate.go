package sample

// Fate is what became of a candidate.
type Fate uint8

// Kept, by why. What several reasons hold for is counted once: errors before
// slow requests, these before causes.
const (
	Slow    Fate = iota // not below its topic's objective
	Failed              // an error
	OfCause             // of a cause or root cause of interest
	Slowest             // among the slowest of its interval
	Share               // of the uniform share of the rest
	Linked              // a kept trace links to it
	Stub                // likewise, but only its summary was left
)

// Dropped.
const (
	SampledOut Fate = iota + Stub + 1 // not worth keeping, and nothing kept linked to it
	OverBudget                        // worth keeping, but there were too many; see Stats.OverBudget
	Refused                           // Export did not take it
	Empty                             // no trace came of it

	Fates = int(Empty) + 1 // how many there are
)

var fateNames = [Fates]string{"slow", "error", "cause", "slowest", "share", "linked", "stub", "sampled_out", "over_budget", "refused", "empty"}

func (f Fate) String() string { return fateNames[f] }

// Kept says whether the trace, or its stub, was exported.
func (f Fate) Kept() bool { return f <= Stub }
