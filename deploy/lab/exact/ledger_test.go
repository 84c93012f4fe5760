package exact

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/sidecar/assemble"
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

// inferable are the clients of batches that nothing but the order tells apart:
// without acks rewritten or identical ones, and those of a request whose
// connection was given up before the response and which was sent again.
var inferable = []string{"raw-rewritten-unacked", "raw-identical-unacked", "raw-repeated"}

// mayBeInferred says whether the request of a joined row is one of theirs.
func (l *ledger) mayBeInferred(row *assemble.JoinedRow) bool {
	client, _, _ := strings.Cut(l.brought[batchKey{place(row.Topic, row.Partition), row.CRC}], " ")
	return slices.Contains(inferable, client)
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
