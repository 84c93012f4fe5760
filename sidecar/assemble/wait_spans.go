package assemble

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// wait adds monitor.wait with its holders, or park.wait.
func (b *builder) wait(parent int, w *wait) {
	if w.park != nil {
		b.park(parent, w)
		return
	}
	b.holders(b.span(parent, spans.NameMonitorWait, w.spanID(b.t.ID), w.start, w.end, w.attributes()...), w)
}

// holders links a wait's span to what its holders did.
func (b *builder) holders(i int, w *wait) {
	for k := range w.shares {
		b.linkTo(i, w.shares[k].to, holderLinks)
		b.linkTo(i, w.shares[k].also, holderLinks)
	}
}

// holderLinks is room for all that the holders of one wait did.
const holderLinks = 2 * maxShares

// attributes are those of monitor.wait: the holders in order, and what is left.
func (w *wait) attributes() []attribute.KeyValue {
	attrs := append(threadAttributes(w.thread),
		attribute.String(spans.KeyMonitorSource, string(w.source)),
		attribute.Int64(spans.KeyMonitorRest, int64(w.unexplained())))
	if w.monitor != 0 {
		attrs = append(attrs, attribute.String(spans.KeyMonitorAddress, address(w.monitor)))
	}
	if w.class != "" {
		attrs = append(attrs, attribute.String(spans.KeyMonitorClass, w.class))
	}
	if how := w.sure(); how != joinNone {
		attrs = append(attrs, attribute.String(spans.KeyJoin, how.String()))
	}
	if w.lock != "" {
		attrs = append(attrs, attribute.String(spans.KeyMonitorLock, w.lock))
	}
	if i := w.main(); i >= 0 {
		attrs = append(attrs, attribute.String(spans.KeyHolder, threadLabel(w.shares[i].exit.thread)))
		attrs = append(attrs, holderAttributes(w.shares)...)
	}
	return attrs
}

func holderAttributes(shares []share) []attribute.KeyValue {
	n := len(shares)
	names, tids, ns := make([]string, n), make([]int64, n), make([]int64, n)
	for i := range shares {
		names[i] = shares[i].exit.thread.Name
		tids[i] = int64(shares[i].exit.thread.TID)
		ns[i] = int64(shares[i].ns())
	}
	return []attribute.KeyValue{
		attribute.StringSlice(spans.KeyHolderThreads, names),
		attribute.Int64Slice(spans.KeyHolderTIDs, tids),
		attribute.Int64Slice(spans.KeyHolderShares, ns),
	}
}

func (w *wait) spanID(id spans.TraceID) spans.SpanID {
	name := spans.NameMonitorWait
	if w.park != nil {
		name = spans.NamePark
	}
	return id.Child(name, uint64(w.thread.TID), uint64(w.start))
}

func threadLabel(t event.Thread) string { return t.Name + " [" + itoa(t.TID) + "]" }

func address(a uint64) string { return "0x" + strconv.FormatUint(a, 16) }
