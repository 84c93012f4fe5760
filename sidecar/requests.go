package sidecar

import (
	"log/slog"

	"github.com/tailspan/tailspan/sidecar/assemble"
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

// counts are what each stage has counted, at one moment.
type counts struct {
	assembled assemble.Stats
	sampled   sample.Stats
	exported  otlp.Stats // zero where nothing is exported
}

// counts asks in the order of the stages while none hands on to the next.
func (s *Sidecar) counts() (c counts) {
	s.assembling.Lock()
	defer s.assembling.Unlock()
	c.assembled, c.sampled = s.assembler.Stats(), s.out.sampler.Stats()
	if s.out.exporter != nil {
		c.exported = s.out.exporter.Stats()
	}
	return c
}

// requests says what became of every request that was seen, appends of encrypted
// listeners among them:
//
//	Seen = Exported + SampledOut + Pending + ΣDropped
//
// at any moment. What an earlier run left on disk counts as seen, what this one
// leaves there as pending.
func (c *counts) requests() metrics.Account {
	a, sm, e := &c.assembled, &c.sampled.Requests, &c.exported
	notOffered := a.Finished + a.Appends - sm.Seen // nobody takes traces
	x := metrics.Account{
		Seen:       a.Requests + a.Appends + e.Restored.Requests,
		Exported:   e.Exported.Requests,
		SampledOut: sm.By[sample.SampledOut] + notOffered,
		Pending:    a.Pending + sm.Pending + e.Queued.Requests,
		Dropped: map[metrics.StageReason]uint64{
			{Stage: stageSample, Reason: sample.OverBudget.String()}: sm.By[sample.OverBudget],
			{Stage: stageSample, Reason: sample.Empty.String()}:      sm.By[sample.Empty],
		},
	}
	for reason, n := range a.Dropped {
		x.Dropped[metrics.StageReason{Stage: stageAssemble, Reason: reason}] = n
	}
	for reason, n := range e.Dropped() { // the sampler's refused ones are among these
		x.Dropped[metrics.StageReason{Stage: stageExport, Reason: reason}] = n.Requests
	}
	return x
}

// metricsAccount is the account of one scrape.
func (s *Sidecar) metricsAccount(from sources) metrics.Account {
	lost, probes := from.lost(), from.probes() // before what is counted is locked: see lost
	c := s.counts()
	x := c.requests()
	x.Lost, x.Probes, x.Unwatched, x.Brokers = lost, probes, s.monitors.stats().Unwatched, len(s.traced())
	x.Traces, x.Kept = map[string]uint64{}, map[string]uint64{}
	for f := range sample.Fate(sample.Fates) {
		n := c.sampled.All.By[f]
		x.Traces[f.String()] = n
		if f.Kept() {
			x.Kept[f.String()] = n
		}
	}
	e := &c.exported
	x.Export = metrics.Export{Spans: e.Exported.Spans, Queued: e.Queued.Spans, DiskBytes: uint64(e.Disk.Bytes), Failures: e.Failures}
	return x
}

// accountRequests logs it; what was dropped is named.
func (c *counts) accountRequests(log *slog.Logger) {
	x := c.requests()
	dropped := map[string]uint64{}
	for k, n := range x.Dropped {
		if n > 0 {
			dropped[k.Stage+": "+k.Reason] = n
		}
	}
	log.Info("requests", "seen", x.Seen, "exported", x.Exported, "sampled_out", x.SampledOut, "pending", x.Pending, "dropped", dropped)
}
