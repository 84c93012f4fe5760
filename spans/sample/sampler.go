package sample

import (
	"sync"
	"time"

	"github.com/tailspan/tailspan/spans"
)

const (
	// DefaultKeep is how many candidates are remembered in full where Options
	// does not say.
	DefaultKeep = 8192

	// DefaultStubs is how many summaries are. A link leads to what overlapped a
	// kept trace: at 100,000 requests a second this is two thirds of a second.
	DefaultStubs = 65536

	// DefaultEach is the interval of the slowest.
	DefaultEach = 10 * time.Second
)

// Candidate is a trace that has ended and is not built yet.
type Candidate interface {
	// Summary is asked for when it is offered, and perhaps once more.
	Summary() spans.Summary
	// BuildTrace is called at most once, and not for what is dropped.
	BuildTrace() *spans.Trace
}

// Options of New. What is kept is what any of them asks for.
type Options struct {
	// SLO is a topic's objective: the latency from which a request is kept. 0
	// keeps all of its requests, and where that is the answer for "", which is
	// no topic, all else, too. nil: 0. It is called with the lock held.
	SLO     func(topic string) time.Duration
	Errors  bool          // requests that failed
	Causes  []spans.Cause // requests of these causes or root causes
	Slowest int           // the slowest requests of each interval, at most 1024 of them
	Each    time.Duration // that interval; 0: DefaultEach
	Share   float64       // of all other requests, from 0 to 1

	MaxSpansRate int // spans a second, on average; 0: no limit

	Keep  int // candidates remembered in full; 0: DefaultKeep
	Stubs int // summaries remembered; 0: DefaultStubs

	// Export takes what is kept and says whether it did. nil: nothing is kept.
	Export func(*spans.Trace) bool
}

// Sampler decides. Its methods are safe for concurrent use; Export and
// BuildTrace are called with its lock held and may not call it back.
type Sampler struct {
	export func(*spans.Trace) bool
	policy policy

	mu      sync.Mutex
	clock   clock
	budget  budget
	strata  strata // of this second
	slowest slowest
	pool    pool // what waits in these two
	scratch []uint32

	full     ring[whole] // may be asked for, and would be built
	stubs    ring[stub]  // may be asked for
	wanted   idSet       // asked for, not met yet
	kept     idSet       // lately: no need to ask for them
	todo     []decided   // to be built and exported, from next on
	next     int
	fullLoad load
	stubLoad load
	todoLoad load
	stats    Stats
	over     map[Stratum]*uint64
}

// New returns a sampler.
func New(o Options) *Sampler {
	s := &Sampler{export: o.Export, policy: newPolicy(o), over: map[Stratum]*uint64{}}
	if o.Export == nil { // nothing will ever be asked for
		return s
	}
	s.clock.interval = int64(orElse(o.Each, DefaultEach))
	s.budget = newBudget(o.MaxSpansRate)
	s.strata.begin(s.budget.most())
	s.slowest.most = min(max(o.Slowest, 0), maxSlowest)
	s.pool = newPool()
	keep := orElse(o.Keep, DefaultKeep)
	s.full, s.stubs = newRing[whole](keep), newRing[stub](orElse(o.Stubs, DefaultStubs))
	s.wanted, s.kept = newIDs(keep), newIDs(keep)
	return s
}

func orElse[T int | time.Duration](n, otherwise T) T {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Offer hands over a trace that has ended.
func (s *Sampler) Offer(c Candidate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := c.Summary()
	s.stats.saw(sum.Request)
	if s.export == nil {
		s.stats.count(SampledOut, sum.Request)
		return
	}
	s.advance(sum.End())
	s.place(c, &sum)
	s.work(perOffer)
}

// Tick says what time it is (Unix ns), so that a second ends though nothing
// more comes. It also is how the clock may be set back.
func (s *Sampler) Tick(unixNS int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.export == nil {
		return
	}
	if s.clock.setBack(unixNS) {
		s.endSecond(unixNS)
		s.endInterval(unixNS)
	}
	s.advance(unixNS)
	s.work(perTick)
}

// Close decides on what waits for it, and drops what was never asked for.
// Nothing may be offered afterwards.
func (s *Sampler) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.export == nil {
		return
	}
	s.endSecond(s.clock.now)
	s.endInterval(s.clock.now)
	for s.next < len(s.todo) {
		s.work(perTick)
	}
	s.forgetAll()
}
