package assemble

import (
	"strings"

	"github.com/tailspan/tailspan/sidecar/event"
)

// Where a listener is encrypted there is no request to be read. An append of a
// handler thread that no request claims is then taken for a client's: a
// request of which nothing but the append is known, and its trace's root.

const (
	// handlerComm is how the kernel names a broker's request handlers: the
	// first 15 bytes of data-plane-kafka-request-handler-N. From JDK 22 on it is
	// their first 7 bytes, two dots and the last 6.
	handlerComm = "data-plane-kafk"
	handlerCut  = "data-pl.."
	// bareAfter is how long a request may yet claim a write.
	bareAfter = linger / 2
	// controlBatch is the bit of a batch's attributes that tells a broker's own
	// (transaction markers) from a client's.
	controlBatch = 1 << 5
)

// unclaimedWrite is a write that becomes a trace's root unless it is claimed.
type unclaimedWrite struct {
	b *broker
	w *write
}

func (a *Assembler) mayBeBare(b *broker, w *write) {
	e := w.ev
	if !b.id.Encrypted || w.part != nil || e.Bytes <= 0 || e.Attributes&controlBatch != 0 ||
		!byHandler(e.Name) || internal(e.Topic) {
		return
	}
	a.after(e.End+bareAfter, unclaimedWrite{b, w})
}

// byHandler says whether a thread can be a request handler, by as much of its
// name as is known.
func byHandler(name string) bool {
	return strings.HasPrefix(name, handlerComm) || strings.HasPrefix(name, handlerCut)
}

// internal says that only brokers write to a topic (org.apache.kafka.common.internals.Topic).
func internal(topic string) bool { return strings.HasPrefix(topic, "__") }

func (u unclaimedWrite) due(a *Assembler) {
	w := u.w
	if w.part != nil || w.offered || w.before == nil {
		return
	}
	if w.log.awaits(w) { // a response may yet name this offset
		a.after(a.now+bareAfter, u)
		return
	}
	a.finishBare(u.b, w)
}

// finishBare makes the append that a write was part of: from the first wait on
// the way to it to the last one after it, as far as they are its own.
func (a *Assembler) finishBare(b *broker, w *write) {
	from, to := w.ev.Start, w.ev.End
	if w.before.prev == nil {
		for _, x := range w.before.waits {
			from = min(from, x.start)
		}
		for _, x := range w.before.fsyncs {
			from = min(from, x.ev.Start)
		}
	}
	if w.after.next == nil {
		for _, x := range w.after.waits {
			to = max(to, x.end)
		}
		for _, x := range w.after.fsyncs {
			to = max(to, x.ev.End)
		}
	}
	e := w.ev
	r := &request{a: a, b: b, bare: true, number: a.next(), end: to, closed: to, ev: &event.Request{
		Arrival: from, LastByte: from, ArrivalUnix: a.o.Clock.Unix(from), LastByteUnix: a.o.Clock.Unix(from),
		PID: b.pid, Acks: 1,
		Partitions: []event.RequestPartition{{TopicPartition: e.TopicPartition, Bytes: e.BatchBytes,
			Records: e.Records, CRC: e.CRC, Attributes: e.Attributes, ProducerID: e.ProducerID}},
	}}
	r.parts = []part{{r: r, log: w.log, base: e.BaseOffset, answered: true}}
	a.join(&r.parts[0], w, joinExact)
	a.ask(r)
	r.due(a)
}
