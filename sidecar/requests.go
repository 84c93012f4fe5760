package sidecar

import (
	"maps"

	"github.com/tailspan/tailspan/sidecar/metrics"
	"github.com/tailspan/tailspan/spans/otlp"
	"github.com/tailspan/tailspan/spans/sample"
)

// The stages at which requests can be lost.
const (
	stageAssemble = "assemble"
	stageSample   = "sample"
	stageExport   = "export"
)

// requests fills in what became of every request that was seen, appends of
// encrypted listeners among them:
//
//	Seen = Exported + SampledOut + Pending + ΣDropped
//
// at any moment; whoever calls it holds s.assembling. What an earlier run left on
// disk counts as seen, what this one leaves there as pending.
func (s *Sidecar) requests(x *metrics.Account) {
	a, sm := s.assembler.Stats(), s.out.sampler.Stats().Requests
	var e otlp.Stats // after the sampler's: what is given there is not given to anybody meanwhile
	if s.out.exporter != nil {
		e = s.out.exporter.Stats()
	}
	notOffered := a.Finished + a.Appends - sm.Seen // nobody takes traces
	x.Seen = a.Requests + a.Appends + e.Restored.Requests
	x.Exported = e.Exported.Requests
	x.SampledOut = sm.By[sample.SampledOut] + notOffered
	x.Pending = a.Pending + sm.Pending + e.Queued.Requests
	x.Dropped = map[metrics.StageReason]uint64{
		{Stage: stageSample, Reason: sample.OverBudget.String()}: sm.By[sample.OverBudget],
		{Stage: stageSample, Reason: sample.Empty.String()}:      sm.By[sample.Empty],
	}
	for reason, n := range a.Dropped {
		x.Dropped[metrics.StageReason{Stage: stageAssemble, Reason: reason}] = n
	}
	for reason, n := range e.Dropped() { // the sampler's refused ones are among these
		x.Dropped[metrics.StageReason{Stage: stageExport, Reason: reason}] = n.Requests
	}
	maps.DeleteFunc(x.Dropped, func(k metrics.StageReason, n uint64) bool { return n == 0 && k.Stage == stageAssemble })
}

// metricsAccount is the account of one scrape.
func (s *Sidecar) metricsAccount(from sources) metrics.Account {
	x := metrics.Account{Probes: from.probes(), Unwatched: s.monitors.stats().Unwatched, Brokers: len(s.traced()), Lost: from.lost()}
	s.assembling.Lock()
	defer s.assembling.Unlock()
	s.requests(&x)
	x.Traces, x.Kept = map[string]uint64{}, map[string]uint64{}
	all := s.out.sampler.Stats().All
	for f := range sample.Fate(sample.Fates) {
		x.Traces[f.String()] = all.By[f]
		if f.Kept() {
			x.Kept[f.String()] = all.By[f]
		}
	}
	if s.out.exporter != nil {
		e := s.out.exporter.Stats()
		x.Export = metrics.Export{Spans: e.Exported.Spans, Queued: e.Queued.Spans, DiskBytes: uint64(e.Disk.Bytes), Failures: e.Failures}
	}
	return x
}

// accountRequests logs it; what was dropped is named.
func (s *Sidecar) accountRequests() {
	s.assembling.Lock()
	defer s.assembling.Unlock()
	var x metrics.Account
	s.requests(&x)
	dropped := map[string]uint64{}
	for k, n := range x.Dropped {
		if n > 0 {
			dropped[k.Stage+": "+k.Reason] = n
		}
	}
	s.log.Info("requests", "seen", x.Seen, "exported", x.Exported, "sampled_out", x.SampledOut, "pending", x.Pending, "dropped", dropped)
}
