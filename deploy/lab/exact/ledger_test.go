package exact

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// name of a request whose client knows its connection and number. A port is
// used again in a long run.
type name struct {
	client      string
	correlation int32
}

// rawRequest is what the raw client says of one request, a Sent a partition.
type rawRequest struct {
	at      int64
	batches []*clients.Sent
	seen    bool
}

// span is a range of offsets of one log.
type span struct{ from, to int64 }

// batchKey is a batch as both the wire and the segment show it, if the broker did
// not rewrite it.
type batchKey struct {
	log string
	crc uint32
}

// ledger has what the clients say they sent, and crosses it off as Tailspan
// says the same.
type ledger struct {
	t       *testing.T
	raw     map[name][]*rawRequest     // by time
	library map[string]*clients.Sent   // by message id
	cut     map[string][]span          // offsets of batches of which not all headers were read, by topic-partition
	traces  map[string][]*clients.Sent // by trace id

	brought map[batchKey]string // who brought a batch, by what is on disk of it

	rows   int
	old    int // v0 to v2: the broker refuses them, and Tailspan does not read them
	unread int // requests behind one that the broker refused
	given  int // rows of requests whose client gave up before an answer
	lost   int // rows of which records were lost

	strange, differing, repeated, rawCut int
}

func newLedger(t *testing.T, r *run) *ledger {
	t.Helper()
	l := &ledger{t: t, raw: map[name][]*rawRequest{}, library: map[string]*clients.Sent{},
		brought: map[batchKey]string{},
		cut:     map[string][]span{}, traces: map[string][]*clients.Sent{}}
	for _, lane := range r.mix.Lanes {
		if err := clients.Read(lane.File(), func(s *clients.Sent) error { l.sent(s); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for n, all := range l.raw {
		slices.SortFunc(all, func(a, b *rawRequest) int { return cmp.Compare(a.at, b.at) })
		all = slices.DeleteFunc(all, func(q *rawRequest) bool { return *q.batches[0].APIVersion < 3 })
		l.old += len(l.raw[n]) - len(all)
		l.raw[n] = all
	}
	for n, all := range l.raw {
		for _, q := range all {
			if q.batches[0].Shape == clients.Unread && l.behindRefused(n, q) {
				l.unread++
			}
		}
	}
	return l
}

func (l *ledger) sent(s *clients.Sent) {
	if s.CorrelationID == nil {
		for _, id := range s.MessageIDs {
			l.library[id] = s
		}
		return
	}
	n := name{s.Local, *s.CorrelationID}
	for _, q := range l.raw[n] {
		if q.at == s.SentNS {
			q.batches = append(q.batches, s)
			return
		}
	}
	l.raw[n] = append(l.raw[n], &rawRequest{at: s.SentNS, batches: []*clients.Sent{s}})
}

// last is the last request of that name that was sent by an instant.
func (l *ledger) last(n name, by int64) *rawRequest {
	var found *rawRequest
	for _, q := range l.raw[n] {
		if q.at <= by {
			found = q
		}
	}
	return found
}

// sameBurst is longer than an Unread connection takes to be written.
const sameBurst = int64(time.Second)

// behindRefused says whether an earlier request of the connection was one that
// the broker closes it over.
func (l *ledger) behindRefused(n name, q *rawRequest) bool {
	for id := n.correlation - 1; id >= 0; id-- {
		b := l.last(name{n.client, id}, q.at)
		if b != nil && q.at-b.at < sameBurst && b.batches[0].Shape == clients.Unread && strings.HasSuffix(b.batches[0].Topic, "-missing") {
			return true
		}
	}
	return false
}

// request takes a row.
func (l *ledger) request(row *assemble.RequestRow) {
	l.rows++
	if row.LostRecords > 0 {
		l.lost++
	}
	for _, p := range row.Partitions {
		l.brought[batchKey{place(p.Topic, p.Partition), p.CRC}] = fmt.Sprint(row.ClientID, " ", row.Client, " ", row.CorrelationID, " acks ", row.Acks, " at ", row.Arrival)
	}
	if strings.HasPrefix(row.ClientID, "raw") {
		l.compare(row)
		return
	}
	for _, p := range row.Partitions {
		for k, id := range p.MessageIDs {
			s := l.library[id]
			if s == nil || s.Topic != p.Topic || s.Partition != p.Partition ||
				s.Offset != nil && p.BaseOffset != nil && p.Error != nil && *p.Error == 0 && *s.Offset != *p.BaseOffset+int64(k) {
				l.differ("library record %s: sent %+v, row %+v", id, s, row)
				continue
			}
			s.Records = 0 // crossed off
			if !row.HeadersCut {
				l.traces[row.TraceID] = append(l.traces[row.TraceID], s)
			}
		}
		if row.HeadersCut && p.BaseOffset != nil {
			log := place(p.Topic, p.Partition)
			l.cut[log] = append(l.cut[log], span{*p.BaseOffset, *p.BaseOffset + int64(p.Records)})
		}
	}
}

func place(topic string, partition int32) string { return fmt.Sprint(topic, "-", partition) }

// inCut says whether a record lies in a batch of which not all headers were read.
func (l *ledger) inCut(s *clients.Sent) bool {
	return s.Offset != nil && slices.ContainsFunc(l.cut[place(s.Topic, s.Partition)], func(x span) bool {
		return x.from <= *s.Offset && *s.Offset < x.to
	})
}

func (l *ledger) differ(format string, args ...any) {
	if l.differing++; l.differing < 10 {
		l.t.Logf(format, args...)
	}
}

// compare holds a row against the client's own record of the very request.
func (l *ledger) compare(row *assemble.RequestRow) {
	q := l.last(name{row.Client, row.CorrelationID}, row.Arrival)
	if q == nil {
		if l.strange++; l.strange < 10 {
			l.t.Logf("nobody sent %+v", row)
		}
		return
	}
	if q.seen {
		l.repeated++
	}
	q.seen = true
	sent := q.batches
	if !row.HeadersCut {
		l.traces[row.TraceID] = append(l.traces[row.TraceID], sent...)
	}
	if row.End == nil && row.Acks != 0 {
		l.given++
	}
	byPlace := func(a, b *clients.Sent) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	}
	sent = slices.SortedFunc(slices.Values(sent), byPlace)
	parts := slices.SortedFunc(slices.Values(row.Partitions), func(a, b assemble.RequestPartition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	same := len(sent) == len(parts) && row.Acks == sent[0].Acks && row.APIVersion == *sent[0].APIVersion && row.ClientID == sent[0].ClientID
	for i := 0; same && i < len(sent); i++ {
		same = l.samePartition(sent[i], &parts[i])
	}
	if !same && row.HeadersCut { // it says so itself
		l.rawCut++
		return
	}
	if !same {
		l.differ("sent %+v\nrow %+v", *sent[0], row)
	}
}

func (l *ledger) samePartition(s *clients.Sent, p *assemble.RequestPartition) bool {
	topic := s.Topic == p.Topic || strings.HasSuffix(s.Topic, "-missing") // an id that nothing has
	answer := s.AckNS == nil && s.Failure != "" ||                        // the client gave up: the broker may have answered
		s.Acks == 0 && p.Error == nil ||
		s.Error != nil && p.Error != nil && *s.Error == *p.Error && (s.Offset == nil || p.BaseOffset != nil && *s.Offset == *p.BaseOffset)
	return topic && answer && s.Partition == p.Partition && s.Records == int(p.Records) && s.Bytes == int(p.Bytes) &&
		s.CRC != nil && *s.CRC == p.CRC && s.Codec == p.Codec && slices.Equal(s.MessageIDs, p.MessageIDs)
}

// countsAgree: requests seen = the broker's own count + those that it never
// read + those whose client gave up before the broker had done with them.
func (l *ledger) countsAgree(t *testing.T, r *run) {
	over := l.rows - r.counted - l.unread
	t.Logf("%d requests seen, %d of them twice; the broker counts %d, and never read %d behind a refused one; of %d that their clients gave up it did %d not count; %d rows with lost records; %d requests of v0-v2",
		l.rows, l.repeated, r.counted, l.unread, l.given, over, l.lost, l.old)
	if over < 0 || over > l.given || l.repeated > 0 {
		t.Error("the counts do not add up")
	}
	if l.lost < l.unread || l.unread == 0 {
		t.Errorf("%d rows say that records were lost, at least %d requests were", l.lost, l.unread)
	}
}

// clientsAgree: every request that a client knows of has its row.
func (l *ledger) clientsAgree(t *testing.T) {
	requests, missing := 0, 0
	for n, all := range l.raw {
		for _, q := range all {
			requests++
			if !q.seen && q.batches[0].Failure == "" {
				if missing++; missing < 10 {
					t.Logf("no row of %v: %+v", n, *q.batches[0])
				}
			}
		}
	}
	records, cut := 0, 0
	for id, s := range l.library {
		if s.Records != 0 && l.inCut(s) {
			cut++
		} else if s.Records != 0 && !s.Failed() {
			if records++; records < 10 {
				t.Logf("no row has record %s: %+v", id, *s)
			}
		}
	}
	t.Logf("%d raw requests and %d records of libraries: %d requests and %d records without a row, %d rows of nobody, %d that differ; not all headers were read of %d raw requests, and of batches with %d records",
		requests, len(l.library), missing, records, l.strange, l.differing, l.rawCut, cut)
	if l.rawCut > l.rows/1000 {
		t.Error("headers are left out too often")
	}
	if missing+records+l.strange+l.differing > 0 || len(l.raw) == 0 || len(l.library) == 0 {
		t.Error("not what the clients say")
	}
}

// contextsAgree: the links of each trace are the traceparents of its records,
// each once and at most 32, with the number left out.
func (l *ledger) contextsAgree(t *testing.T, r *run) {
	linked, differ := 0, 0
	line := func(b []byte) error {
		tr, err := tailspan.ParseTrace(b)
		if err != nil || len(l.traces[tr.ID.String()]) == 0 {
			return err
		}
		want := map[string]bool{}
		for _, s := range l.traces[tr.ID.String()] {
			for _, p := range s.Parents {
				want[p[3:52]] = true
			}
		}
		total, got := len(want), 0
		for _, x := range tr.Root().Links {
			id := x.Trace.String() + "-" + x.Span.String()
			if want[id] {
				got++
				delete(want, id)
			} else if kind(x) == spans.LinkProducer {
				got = -1 << 20
			}
		}
		linked += got
		if got != min(total, 32) {
			if differ++; differ < 10 {
				t.Errorf("trace %s: %d of %d contexts linked", tr.ID, got, total)
			}
		}
		return nil
	}
	s, err := tailspan.Start(r.Bin, r.Dir+"/traces.log", noExport, line, "replay", "--print", "traces", "--format", "jsonl", r.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d contexts linked, %d traces differ", linked, differ)
	if linked == 0 {
		t.Error("no links")
	}
}

func kind(l spans.Link) string {
	for _, a := range l.Attributes {
		if string(a.Key) == spans.KeyLinkKind {
			return a.Value.AsString()
		}
	}
	return ""
}
