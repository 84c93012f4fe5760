package sidecar

import (
	"maps"

	"github.com/tailspan/tailspan/bpf"
)

// lost counts what the sources could not see. s.assembling is not held where it
// is called: in a replay a source may hold its own lock until the assembler has
// taken an event.
func (s *Sidecar) lost() map[string]uint64 {
	d := s.decoded()
	q := s.queue.Stats()
	p := s.probes.Stats()
	a := s.counts().assembled
	m := map[string]uint64{
		"packet gaps": d.Gaps, "bytes missed": d.MissedBytes, "bytes without a known frame": d.UnsyncedBytes, "packets held over": d.HeldOver, "undecodable frames": d.Undecodable,
		"unsupported produce versions": d.UnsupportedVersion, "unknown topic ids": d.TopicUnknown,
		"batches not understood": d.BadBatches, "responses without request": d.Unmatched,
		"connections that are not Kafka": d.NotKafka, "panics": d.Panics,
		"requests begun or ended unseen": d.Lost["partial"], "requests not confirmed": d.Lost["unconfirmed"],
		"responses not seen": d.Lost["gap"] + d.Lost["unanswered"], "connections too many": d.Lost["evicted"],
		"events queue full": q.Dropped, "events late": q.Late, "malformed probe records": p.Malformed,
		"appends with record headers cut": a.AppendsCut, "events at impossible times": a.BadTimes, "ends of waits": a.LostWaits, "holders of a wait": a.SharesCut, "waits not counted for their root": a.BlockedCut, "ends of commits": a.LostEnds,
		"monitor probes taken off: too many waits": s.monitors.stats().TakenOff, "reasons of stays off the CPU": a.StaysCut, "samples of a write": a.SamplesCut,
	}
	for reason, n := range a.Dropped {
		m["requests: "+reason] = n
	}
	s.waits.lost(m)
	maps.DeleteFunc(m, func(_ string, n uint64) bool { return n == 0 })
	return m
}

// lost adds what a live run's sources could not take in.
func (l *live) lost() map[string]uint64 {
	m := l.Sidecar.lost()
	if n := l.absent.Load(); n > 0 {
		m["probes not to be had here"] = n
	}
	if l.packets != nil {
		if n := l.packets.Stats().Dropped; n > 0 {
			m["packets dropped by the kernel"] = n
		}
	}
	if l.kernel == nil {
		return m
	}
	st, err := l.kernel.Stats()
	if err != nil {
		l.log.Debug("read the probes' losses", "error", err)
		return m
	}
	for _, k := range bpf.Kinds() {
		if st.Lost[k] > 0 {
			m["probe records lost: "+k.String()] = st.Lost[k]
		}
	}
	if st.Missed > 0 {
		m["probe runs missed"] = st.Missed
	}
	return m
}

// account logs what was seen, what became of it, and what was not seen.
func (s *Sidecar) account(lost map[string]uint64) {
	c, d := s.counts(), s.decoded()
	c.accountRequests(s.log)
	a := &c.assembled
	s.log.Info("so far", "packets", d.Packets, "requests", a.Requests, "finished", a.Finished,
		"joined_exact", a.Exact, "joined_inferred", a.Inferred, "unjoined", a.Unjoined,
		"unanswered", a.Unanswered, "duplicates", a.Duplicates, "refused", a.Refused,
		"lost_requests", a.Lost, "lost_records", a.LostRecords, "appends", a.Appends, "appends_cut", a.AppendsCut, "writes", a.Writes, "fsyncs", a.Fsyncs, "waits", a.Waits, "jvms_unwatched", s.monitors.stats().Unwatched, "parks", a.Parks, "queues_exact", a.QueuesExact,
		"ambiguous_waits", a.Ambiguous, "commits", a.Commits, "traces_kept", c.sampled.All.Kept())
	if s.out.exporter != nil {
		e := &c.exported
		s.log.Info("exported", "traces", e.Exported.Traces, "spans", e.Exported.Spans, "queued", e.Queued.Traces,
			"dropped_queue_full", e.QueueFull.Traces, "rejected", e.Rejected.Traces, "undelivered", e.Undelivered.Traces, "on_disk", e.Disk.Queued.Traces)
	}
	if len(lost) > 0 {
		s.log.Warn("not everything could be seen", "lost", lost)
	}
}
