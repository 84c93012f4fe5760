package sidecar

import (
	"maps"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// lost counts what the sources could not see.
func (s *Sidecar) lost() map[string]uint64 {
	m := map[string]uint64{}
	d := s.decoder.Stats()
	q := s.queue.Stats()
	p := s.probes.Stats()
	a := s.assembler.Stats()
	for name, n := range map[string]uint64{
		"packet gaps": d.Gaps, "packets held over": d.HeldOver, "undecodable frames": d.Undecodable,
		"unsupported produce versions": d.UnsupportedVersion, "unknown topic ids": d.TopicUnknown,
		"batches not understood": d.BadBatches, "responses without request": d.Unmatched,
		"connections that are not Kafka": d.NotKafka, "panics": d.Panics,
		"events queue full": q.Dropped, "events late": q.Late, "malformed probe records": p.Malformed,
		"events at impossible times": a.BadTimes, "ends of waits": a.LostWaits, "ends of commits": a.LostEnds,
	} {
		m[name] = n
	}
	for reason, n := range a.Dropped {
		m["requests: "+reason] = n
	}
	maps.DeleteFunc(m, func(_ string, n uint64) bool { return n == 0 })
	return m
}

// losses of a live run, which a recording keeps.
func (l *live) losses() {
	m := l.lost()
	if n := l.queue.Stats().Pending; n > 0 {
		m["events after the end"] = uint64(n)
	}
	if l.packets != nil {
		if n := l.packets.Stats().Dropped; n > 0 {
			m["packets dropped by the kernel"] = n
		}
	}
	if l.kernel != nil {
		if st, err := l.kernel.Stats(); err == nil {
			for _, k := range bpf.Kinds() {
				if st.Lost[k] > 0 {
					m["probe records lost: "+k.String()] = st.Lost[k]
				}
			}
			if st.Missed > 0 {
				m["probe runs missed"] = st.Missed
			}
		}
	}
	if len(m) > 0 {
		l.log.Warn("not everything could be seen", "lost", m)
		l.fact(recording.Fact{Losses: m})
	}
}

// account logs what was seen and what became of it.
func (s *Sidecar) account() {
	a, d := s.assembler.Stats(), s.decoder.Stats()
	sm := s.out.sampler.Stats()
	s.log.Info("so far", "packets", d.Packets, "requests", a.Requests, "finished", a.Finished,
		"joined_exact", a.Exact, "joined_inferred", a.Inferred, "unjoined", a.Unjoined,
		"unanswered", a.Unanswered, "duplicates", a.Duplicates, "refused", a.Refused, "writes", a.Writes, "waits", a.Waits,
		"ambiguous_waits", a.Ambiguous, "commits", a.Commits, "traces_kept", sm.KeptSlow+sm.KeptLinked)
	if s.out.exporter != nil {
		e := s.out.exporter.Stats()
		s.log.Info("exported", "traces", e.Exported.Traces, "spans", e.Exported.Spans, "queued", e.Queued.Traces,
			"dropped_queue_full", e.QueueFull.Traces, "rejected", e.Rejected.Traces, "undelivered", e.Undelivered.Traces)
	}
	if m := s.lost(); len(m) > 0 {
		s.log.Info("not seen", "lost", m)
	}
}
