package sample

import (
	"slices"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// policy says what is worth keeping, by a candidate alone.
type policy struct {
	slo    func(topic string) time.Duration
	errors bool
	causes []spans.Cause
	share  uint64 // threshold of the rest
	rest   string // tracestate of that
}

func newPolicy(o Options) policy {
	p := policy{slo: o.SLO, errors: o.Errors, causes: slices.Clone(o.Causes), share: thresholdOf(o.Share)}
	if p.slo == nil {
		p.slo = func(string) time.Duration { return 0 }
	}
	p.rest = stateOf(p.share)
	return p
}

// class of a candidate; worthy says that it is to be kept if the budget allows.
// An error comes before slowness: a flood of requests that time out is not to
// crowd out the slow ones.
func (p *policy) class(sum *spans.Summary) (c Class, worthy bool) {
	slo := p.slo(sum.Topic)
	switch {
	case !sum.Request && slo > 0:
		return ClassRest, false
	case p.errors && sum.Failed:
		return ClassError, true
	case sum.Latency >= slo:
		return slowClass(sum.Latency, slo), true
	case slices.Contains(p.causes, sum.Cause), slices.Contains(p.causes, sum.RootCause):
		return ClassCause, true
	}
	return ClassRest, randomness(sum.ID) >= p.share
}

// state is the tracestate of what is kept for its class without a budget.
func (p *policy) state(c Class) string {
	if c == ClassRest {
		return p.rest
	}
	return certain
}
