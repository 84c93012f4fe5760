package capture

import (
	"net/netip"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
)

// connKey tells connections apart.
type connKey struct{ client, broker endpoint }

// conn is one connection: two halves that may be seen, lost and found again
// independently, and the requests between them.
type conn struct {
	id             event.Conn
	key            connKey
	client, broker netip.AddrPort
	pid            int32

	prev, next *conn // in one of the decoder's lists
	list       *connList
	seen       int64 // the last packet's stamp

	in  requestHalf
	out responseHalf

	owed     bool // a produce request was handed on, and the end is yet to be told
	byBroker bool // the broker ended it
}

// half is what both directions have: their place in the stream.
type half struct {
	conn  *conn
	known bool   // next is
	next  uint32 // the sequence number that is due
	first uint32 // of the SYN, where begun
	begun bool   // the SYN was seen
	last  int64  // the latest stamp of what was consumed
	fin   bool   // its end has been consumed
	sync  syncState
	held  []held // by sequence number; the first lies behind a hole
	tls   int    // segments in a row that began as TLS records do
	tried int    // bytes searched in vain for a frame
}

type syncState uint8

const (
	lost    syncState = iota // no frame boundary is known
	fresh                    // at the start of the stream
	inFrame                  // boundaries are known
	foreign                  // not Kafka: nothing more is read
)

type requestHalf struct {
	half
	stream   kafka.RequestStream
	body     *kafka.ProduceRequest // of the frame being read, from the decoder's pool
	fetch    *kafka.FetchRequest   // the same
	old      kafka.ProduceAcks     // the same
	clientID string
	named    bool // clientID is known
	mixed    bool // clientID has changed
	lastID   int32
	jumpy    bool // correlation ids have not always grown

	suspected  bool             // the boundary is not confirmed
	waiting    []*event.Request // until it is
	parts      int              // of them all
	answerable bool             // one of them has a response
	refuted    bool             // there are too many of them, or no room
}

type responseHalf struct {
	half
	stream    kafka.ResponseStream
	answers   inflight
	hasAnswer bool // the frame being read answers this:
	answer    awaited
	result    *kafka.ProduceResponse // of the frame being read, from the decoder's pool
	topics    *kafka.MetadataResponse
	previous  previous
	torn      bool // bytes of the frame being read were missed
}

// half is the one that a segment belongs to.
func (c *conn) half(request bool) *half {
	if request {
		return &c.in.half
	}
	return &c.out.half
}

// begin says that the stream starts at a sequence number.
func (h *half) begin(seq uint32) {
	h.known, h.next, h.sync, h.fin = true, seq, fresh, false
	h.begun, h.first = true, seq-1
}

// connList is a list of connections, the longest idle first.
type connList struct{ first, last *conn }

func (l *connList) push(c *conn) {
	c.list, c.prev, c.next = l, l.last, nil
	if l.last != nil {
		l.last.next = c
	} else {
		l.first = c
	}
	l.last = c
}

func (l *connList) remove(c *conn) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.last = c.prev
	}
	c.list, c.prev, c.next = nil, nil, nil
}

// touch moves a connection to the end of its list.
func (l *connList) touch(c *conn) {
	if l.last != c {
		l.remove(c)
		l.push(c)
	}
}
