package exact

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// name of a request whose client knows its connection and number.
type name struct {
	client      string
	correlation int32
}

// ledger has what the clients say they sent, and crosses it off as Tailspan
// says the same.
type ledger struct {
	t       *testing.T
	raw     map[name][]*clients.Sent // by the request, in the order of its partitions
	library map[string]*clients.Sent // by message id
	rows    int
	old     int // v0 to v2: the broker refuses them, and Tailspan does not read them
	unread  int // requests behind one that the broker refused
	given   int // rows of requests whose client gave up before an answer
	lost    int // rows of which records were lost
	traces  map[string][]*clients.Sent

	strange, differing, repeated, cut int
	seen                              map[name]bool
}

func newLedger(t *testing.T, r *run) *ledger {
	t.Helper()
	l := &ledger{t: t, raw: map[name][]*clients.Sent{}, library: map[string]*clients.Sent{},
		traces: map[string][]*clients.Sent{}, seen: map[name]bool{}}
	for _, lane := range r.mix.Lanes {
		err := clients.Read(lane.File(), func(s *clients.Sent) error { l.sent(s); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	for n, batches := range l.raw {
		switch v := *batches[0].APIVersion; {
		case v < 3:
			l.old++
			delete(l.raw, n)
		case batches[0].Shape == clients.Unread && l.behindRefused(n):
			l.unread++
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
	l.raw[n] = append(l.raw[n], s)
}

// behindRefused says whether an earlier request of the connection was one that
// the broker closes it over.
func (l *ledger) behindRefused(n name) bool {
	for id := n.correlation - 1; id >= 0; id-- {
		if b := l.raw[name{n.client, id}]; len(b) > 0 && strings.HasSuffix(b[0].Topic, "-missing") {
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
	n := name{row.Client, row.CorrelationID}
	if l.seen[n] {
		l.repeated++
	}
	l.seen[n] = true
	if strings.HasPrefix(row.ClientID, "raw") {
		l.compare(n, row)
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
			l.traces[row.TraceID] = append(l.traces[row.TraceID], s)
			s.Records = 0 // crossed off
		}
	}
}

func (l *ledger) differ(format string, args ...any) {
	if l.differing++; l.differing < 10 {
		l.t.Logf(format, args...)
	}
}

// compare holds a row against the client's own record of the very request.
func (l *ledger) compare(n name, row *assemble.RequestRow) {
	sent := l.raw[n]
	if len(sent) == 0 {
		if l.strange++; l.strange < 10 {
			l.t.Logf("nobody sent %+v", row)
		}
		return
	}
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
		l.cut++
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
	missing := 0
	for n, sent := range l.raw {
		if !l.seen[n] && sent[0].Failure == "" {
			if missing++; missing < 10 {
				t.Logf("no row of %v: %+v", n, *sent[0])
			}
		}
	}
	records := 0
	for id, s := range l.library {
		if s.Records != 0 && !s.Failed() {
			if records++; records < 10 {
				t.Logf("no row has record %s: %+v", id, *s)
			}
		}
	}
	t.Logf("%d raw requests and %d records of libraries: %d requests and %d records without a row, %d rows of nobody, %d that differ, %d of which not all headers were read",
		len(l.raw), len(l.library), missing, records, l.strange, l.differing, l.cut)
	if l.cut > l.rows/1000 {
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
	s, err := tailspan.Start(r.bin, r.dir+"/traces.log", noExport, line, "replay", "--print", "traces", "--format", "jsonl", r.file)
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
