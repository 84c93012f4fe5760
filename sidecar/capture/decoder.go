package capture

import (
	"log/slog"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
)

// Topics resolves topic ids. A Decoder asks it, and teaches it what the
// Metadata responses that pass by say.
type Topics interface {
	Name(pid int32, id [16]byte) (string, bool)  // may look anew where the id is not known
	Known(pid int32, id [16]byte) (string, bool) // never does
	Learn(pid int32, id [16]byte, name string)
}

// Options are what a Decoder is made of. Every field may be zero but Emit.
type Options struct {
	Clock  *event.Clock // nil: packet time is taken for CLOCK_MONOTONIC
	Topics Topics       // nil: topic ids stay unresolved

	// MessageIDHeader names the record header that carries the message id, ""
	// none; TraceContext says that `traceparent` is read. With neither, no
	// record is looked at.
	MessageIDHeader string
	TraceContext    bool
	// Nanotime limits the time that records may take, by nanoseconds that
	// never go back; nil: no limit, so that the bytes alone decide.
	Nanotime func() int64
	// MessageIDs gives the ids in a replay, where records are zeroed; nil: they are
	// read from the bytes. partition is the index in Request.Partitions.
	MessageIDs func(client, broker netip.AddrPort, correlationID int32, partition int) ([]string, bool)
	// OnMessageIDs is told the ids that were read, before the packet that
	// completed the request is handed to Record.
	OnMessageIDs func(client, broker netip.AddrPort, correlationID int32, partition int, ids []string)
	// RecordHeaders and OnRecordHeaders are the same for the rest that the
	// records of a request said, where they said any.
	RecordHeaders   func(client, broker netip.AddrPort, correlationID int32) RecordHeaders
	OnRecordHeaders func(client, broker netip.AddrPort, correlationID int32, r RecordHeaders)

	// Emit takes each event, Record each packet that was of use, redacted and
	// in the order of consumption (nil: no recording). Neither may call the
	// Decoder; a packet's Data is borrowed.
	Emit   func(event.Event)
	Record func(Packet)
	Logger *slog.Logger // nil: silent

	Bounds Bounds
}

// Decoder turns packets into events. One goroutine calls Packet and Tick;
// SetListeners and Stats are safe from any.
type Decoder struct {
	o         Options
	listeners atomic.Pointer[listeners]

	mu sync.Mutex // everything below
	counters
	now       int64 // the latest stamp, Unix ns
	sweepAt   int64
	answersAt int64 // of the last look at what waits for a response
	conns     map[connKey]*conn
	open      connList
	closed    connList // ended, but late segments may come
	lastConn  event.Conn
	holes     []*half
	heldNow   int
	buffers   [][]byte

	seg       segment
	cur       *conn
	stamp     int64
	kept      kafka.Kept
	names     *kafka.Interner
	requests  pool[kafka.ProduceRequest]
	fetchPool pool[kafka.FetchRequest]
	results   pool[kafka.ProduceResponse]
	unnamed   unnamed
	headers   *kafka.HeaderReader // nil: records are not looked at
	told      map[endpoint]bool   // listeners that were reported as not Kafka
	panicTold bool
}

// NewDecoder returns a Decoder without listeners: it ignores every packet
// until SetListeners.
func NewDecoder(o Options) *Decoder {
	o.Bounds = o.Bounds.withDefaults()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = new(event.Clock)
	}
	d := &Decoder{
		o: o, conns: make(map[connKey]*conn),
		names: kafka.NewInterner(), told: make(map[endpoint]bool),
	}
	d.headers = headerReader(&o)
	d.lost = make(map[string]uint64)
	d.unnamed.last = make(map[topicKey]int64)
	d.listeners.Store(newListeners(nil))
	return d
}

// SetListeners says which addresses are brokers': a packet to one is part of
// requests, a packet from one of responses. Connections that were met before
// their broker become its own; what was handed on of them keeps pid 0.
func (d *Decoder) SetListeners(ls []Listener) {
	t := newListeners(ls)
	d.listeners.Store(t)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		if c.pid == 0 {
			c.pid, _ = t.find(c.key.broker)
		}
	}
}

// Packet takes the next packet.
func (d *Decoder) Packet(p Packet) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.packets++
	d.bytes += uint64(len(p.Data))
	d.advance(p.Unix)
	switch d.seg.parse(&p) {
	case notTCP:
		d.notTCP++
		return
	case isFragment:
		d.fragments++
		return
	}
	c, request := d.lookup(&d.seg, p.Unix)
	if c == nil {
		return
	}
	defer d.survive(c)
	d.cur = c
	d.accept(c, request, p)
}

// Tick says that all packets up to now have been handed over, so that what
// has waited too long expires though no further packet comes. After the last
// packet of a file, a Tick at its stamp + 2*HoleTimeout hands out what still
// waits behind a hole.
func (d *Decoder) Tick(now event.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := len(d.unnamed.order) > 0
	if names {
		d.nameTopics(now)
	}
	if unix := d.o.Clock.Unix(now); unix > d.now {
		d.advance(unix)
	}
	if names {
		d.lookAgain()
	}
}

// survive turns a panic into the loss of one connection.
func (d *Decoder) survive(c *conn) {
	r := recover()
	if r == nil {
		return
	}
	d.panics++
	if !d.panicTold {
		d.panicTold = true
		d.o.Logger.Error("decoding a connection panicked; it is given up, please report this",
			"client", c.client, "broker", c.broker, "panic", r, "stack", string(debug.Stack()))
	}
	d.forget(c, reasonEvicted)
}

// lookup finds the segment's connection and which way it goes, or makes one.
func (d *Decoder) lookup(s *segment, at int64) (c *conn, request bool) {
	ls := d.listeners.Load()
	to, from := ls.port(s.dst.port), ls.port(s.src.port)
	if !to && !from {
		d.notOurs++
		return nil, false
	}
	if to {
		if c = d.conns[connKey{s.src, s.dst}]; c != nil {
			return c, true
		}
	}
	if from {
		if c = d.conns[connKey{s.dst, s.src}]; c != nil {
			return c, false
		}
	}
	if s.has(flagRST) || !s.has(flagSYN) && s.length() == 0 {
		return nil, false // nothing begins here
	}
	return d.newConn(ls, s, at)
}

// newConn makes a connection from its first segment that was seen.
func (d *Decoder) newConn(ls *listeners, s *segment, at int64) (*conn, bool) {
	request := true
	pid, ok := ls.find(s.dst)
	if from, fromOK := ls.find(s.src); fromOK && (!ok || s.has(flagSYN) && s.has(flagACK)) {
		request, pid, ok = false, from, true
	}
	if !ok {
		d.notOurs++
		return nil, false
	}
	key := connKey{s.src, s.dst}
	if !request {
		key = connKey{s.dst, s.src}
	}
	d.makeRoom()
	d.lastConn++
	c := &conn{id: d.lastConn, key: key, client: key.client.addrPort(), broker: key.broker.addrPort(), pid: pid, seen: at}
	c.in.conn, c.out.conn = c, c
	d.conns[key] = c
	d.open.push(c)
	d.connections++
	return c, request
}

// makeRoom evicts until another connection has room.
func (d *Decoder) makeRoom() {
	for len(d.conns) >= d.o.Bounds.Connections {
		c := d.closed.first
		if c == nil {
			c = d.open.first
		}
		d.forget(c, reasonEvicted)
	}
}
