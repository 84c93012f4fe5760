package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tailspan/tailspan/sidecar/segment"
	"github.com/tailspan/tailspan/spans"
)

// answer is that of /trace: see the package's documentation.
type answer struct {
	Topic     string   `json:"topic"`
	Partition *int32   `json:"partition"`
	Offset    *int64   `json:"offset"`
	Cluster   *string  `json:"cluster"`
	Base      *int64   `json:"base_offset"`
	Last      *int64   `json:"last_offset"`
	Timestamp *int64   `json:"timestamp_ms"`
	TraceID   *string  `json:"trace_id"`
	Others    []string `json:"other_trace_ids"`
	Kept      *bool    `json:"kept"`
	URL       *string  `json:"url"`
	Reason    string   `json:"reason"`

	status int
	count  *uint64     // of Stats
	ids    []candidate // what the trace's id may be
}

// candidate is what the id of a trace may be, for all that the log says.
type candidate struct {
	ID  string
	Of  string // what it is made of
	URL string // "": it is nowhere to be seen
}

const (
	// undecided is how long it may take until a request's trace is kept or not.
	undecided = 15 * time.Second
	// Around traces and batches, for backends that search by time.
	keptMargin  = time.Minute
	batchMargin = time.Hour
)

// find answers a query.
func (s *Server) find(ctx context.Context, q query, a *answer) {
	kept := s.o.Index.Lookup(q.cluster, q.topic, q.partition, q.offset)
	patience := searchTime
	if len(kept) > 0 {
		patience = checkTime
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all, err := s.search(ctx, q)
	a.Topic, a.Partition, a.Offset = q.topic, &q.partition, &q.offset
	clusters := clustersOf(kept, all)
	if len(clusters) > 1 {
		a.fail(http.StatusBadRequest, &s.stats.Invalid, "several clusters have it: add cluster=, one of "+strings.Join(clusters, ", "))
		return
	}
	switch {
	case len(clusters) == 1:
		a.Cluster = &clusters[0]
	case q.cluster != "":
		a.Cluster = &q.cluster
	}
	f := best(all)
	switch {
	case len(kept) > 0 && (f == nil || f.err != nil || f.at.BaseOffset == kept[0].Base && f.at.LastOffset == kept[0].Last):
		s.kept(a, &kept[0], f)
	case f != nil && f.err == nil:
		s.batch(a, f, nil)
	case err != nil:
		a.fail(http.StatusServiceUnavailable, nil, err.Error())
	default:
		s.none(a, f)
	}
}

// clustersOf are those that know something of the offset's log.
func clustersOf(kept []Kept, all []found) (names []string) {
	for i := range kept {
		names = append(names, kept[i].Cluster)
	}
	for i := range all {
		if all[i].has() {
			names = append(names, all[i].cluster)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// best is the answer that counts most; nil: there is no broker.
func best(all []found) (f *found) {
	for i := range all {
		if f == nil || all[i].rank() < f.rank() {
			f = &all[i]
		}
	}
	return f
}

// kept answers with a kept trace, unless the log is younger.
func (s *Server) kept(a *answer, k *Kept, f *found) {
	if f != nil && f.err == nil && k.To.Before(f.at.Made) {
		s.batch(a, f, k)
		return
	}
	yes, id := true, k.Trace.String()
	a.Base, a.Last, a.TraceID, a.Kept = &k.Base, &k.Last, &id, &yes
	a.status, a.count = http.StatusOK, &s.stats.Kept
	a.Reason = "This trace was kept."
	if s.o.TraceURL != "" {
		url := s.o.TraceURL.Of(k.Trace, k.From.Add(-keptMargin), k.To.Add(keptMargin))
		a.URL = &url
	} else {
		a.Reason += " The sidecar was not told where traces are to be seen."
	}
}

// batch answers with what the log has; older, unless nil, was kept of a log of
// that name.
func (s *Server) batch(a *answer, f *found, older *Kept) {
	b := &f.at
	a.Base, a.Last, a.Timestamp = &b.BaseOffset, &b.LastOffset, &b.MaxTimestamp
	switch {
	case b.Control():
		a.fail(http.StatusNotFound, &s.stats.NoTrace, "A transaction's marker is there: its coordinator wrote it, no produce request.")
		return
	case internal[a.Topic]:
		a.fail(http.StatusNotFound, &s.stats.NoTrace, "Only brokers write to this topic, no produce request does.")
		return
	}
	at := time.UnixMilli(b.MaxTimestamp)
	s.candidates(a, f, at)
	if older != nil {
		a.add(candidate{older.Trace.String(), "of the trace that was kept before",
			s.o.TraceURL.Of(older.Trace, older.From.Add(-keptMargin), older.To.Add(keptMargin))})
		a.unknown(s, "A trace of this offset was kept, but before this log was made: the topic was made again, or its replica moved.")
		return
	}
	s.unkept(a, f, at)
}

// candidates are what the id of the trace of a batch may be, the likeliest first.
func (s *Server) candidates(a *answer, f *found, at time.Time) {
	add := func(id spans.TraceID, of string) {
		a.add(candidate{id.String(), of, s.o.TraceURL.Of(id, at.Add(-batchMargin), at.Add(batchMargin))})
	}
	if !f.parent.IsZero() {
		add(f.parent, "of the producer's trace, if all records of the request agreed")
	}
	base := f.at.BaseOffset
	if id := f.at.TopicID; id != ([16]byte{}) {
		add(spans.PlaceID(f.cluster, id, a.Topic, *a.Partition, base), "made of the topic's id, by which newer clients name it (Produce v13)")
	}
	add(spans.PlaceID(f.cluster, [16]byte{}, a.Topic, *a.Partition, base), "made of the topic's name")
}

// add takes a candidate that is not there yet.
func (a *answer) add(c candidate) {
	switch {
	case slices.ContainsFunc(a.ids, func(x candidate) bool { return x.ID == c.ID }):
		return
	case a.TraceID == nil:
		a.TraceID = &c.ID
	default:
		a.Others = append(a.Others, c.ID)
	}
	a.ids = append(a.ids, c)
}

// internal are the topics that only coordinators write to
// (org.apache.kafka.common.internals.Topic).
var internal = map[string]bool{"__consumer_offsets": true, "__transaction_state": true, "__share_group_state": true}

// unkept says of a batch that is in no kept trace that is remembered what that
// means.
func (s *Server) unkept(a *answer, f *found, at time.Time) {
	clock := ", by the broker's clock"
	if !f.at.LogAppendTime() {
		clock = ", by the producer's clock"
	}
	now, forgotten := time.Now(), s.o.Index.Forgotten()
	switch {
	case f.at.MaxTimestamp < 0 || at.After(now.Add(undecided)):
		a.unknown(s, "Its records do not say when they were written: if that was before this sidecar traced their broker, their trace may be in the backend.")
	case at.Before(f.since):
		a.unknown(s, fmt.Sprintf("It was written before this sidecar traced its broker (since %s)%s: if another one did, the trace may be in the backend.",
			f.since.UTC().Format(time.RFC3339), clock))
	case at.After(now.Add(-undecided)):
		a.unknown(s, "It was written less than 15 s ago"+clock+": whether its trace is kept may not be decided yet. Ask again.")
	case !at.After(forgotten):
		a.unknown(s, "It was written at a time of which not all kept traces are remembered here (up to "+
			forgotten.UTC().Format(time.RFC3339)+")"+clock+": the trace may be in the backend.")
	default:
		no := false
		a.Kept = &no
		a.fail(http.StatusNotFound, &s.stats.NotKept, "This trace was not kept by this sidecar: the request was neither slow nor otherwise to be kept, "+
			"or its trace was dropped, or it was sent to another host's broker, which led the partition: ask there.")
	}
}

// unknown: the trace may have been kept.
func (a *answer) unknown(s *Server, reason string) {
	a.fail(http.StatusNotFound, &s.stats.Unknown, reason)
	if len(a.ids) > 0 && a.ids[0].URL != "" {
		a.URL = &a.ids[0].URL
	}
}

// none says why no log has the offset.
func (s *Server) none(a *answer, f *found) {
	var old *segment.MagicError
	reason, status, count := "", http.StatusNotFound, &s.stats.NoTrace
	switch {
	case f == nil && a.Cluster != nil:
		reason = "No broker of the cluster " + *a.Cluster + " is traced here."
	case f == nil:
		reason = "No broker is traced here, so that there is no log to look in."
	case errors.Is(f.err, segment.ErrNoPartition):
		reason = fmt.Sprintf("No broker that is traced here has a log %s-%d: the topic or the partition is not known, or other hosts have it.", a.Topic, *a.Partition)
	case errors.Is(f.err, segment.ErrBefore):
		reason = fmt.Sprintf("The log begins after this offset, at %d: what was before is deleted.", f.at.Start)
	case errors.Is(f.err, segment.ErrBeyond):
		reason = fmt.Sprintf("The log ends before this offset: the next that is written gets %d.", f.at.End)
	case errors.Is(f.err, segment.ErrCompacted):
		reason = "The batch of this offset was compacted away, and with it where it began, of which the trace's id is made."
	case errors.As(f.err, &old):
		reason = fmt.Sprintf("A message of format %d, of Kafka 0.x, is there: no request that is traced wrote it.", old.Magic)
	case errors.Is(f.err, segment.ErrNotFound):
		reason = "The log has a gap there: no batch has this offset."
	default:
		reason, status, count = "The log cannot be read: "+why(f.err)+".", http.StatusServiceUnavailable, &s.stats.Unread
	}
	a.fail(status, count, reason)
}

func (a *answer) fail(status int, count *uint64, reason string) {
	a.status, a.count, a.Reason = status, count, reason
}
