package assemble

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// handles adds the waits for the journal inside d, or elsewhere in the call.
func (b *builder) handles(parent int, in *inner, blocks []overlap, d *event.DirtyInode) {
	for _, h := range in.waits() {
		if !lies(h.Start, h.End, d) {
			continue
		}
		name := spans.NameHandleWait
		if h.Grant {
			name = spans.NameLogGrant
		}
		attrs := []attribute.KeyValue{attribute.String(spans.KeyDevice, device(h.Device))}
		if h.Transaction != 0 {
			attrs = append(attrs, attribute.Int64(spans.KeyTransaction, int64(h.Transaction)))
		}
		i := b.span(parent, name, b.t.ID.Child(name, uint64(h.TID), uint64(h.Start)), h.Start, h.End, attrs...)
		b.overlaps(i, blocks, d, h)
	}
}

// lies says whether something is inside an ext4_dirty_inode, if one is given.
func lies(from, to event.Time, d *event.DirtyInode) bool {
	return d == nil || from >= d.Start && to <= d.End
}

// overlaps adds jbd2.commit, ext4.fast_commit or xfs.log_force for each overlap
// inside d and h, or elsewhere in the call.
func (b *builder) overlaps(parent int, blocks []overlap, d *event.DirtyInode, h *event.JournalWait) {
	for i := range blocks {
		o := &blocks[i]
		switch {
		case o.dirty != d || o.handle != h || o.grant:
		case o.flush != nil:
			f := o.flush
			attrs := append(slices.Clip(f.attributes), attribute.String(spans.KeyJoin, o.how.String()))
			k := b.span(parent, f.name, f.spanID(b.t.ID, o.start), o.start, o.end, attrs...)
			b.link(k, f.id, rootID(f.id, f.name), f.linkOf())
		default:
			b.commit(parent, o)
		}
	}
}

func (b *builder) commit(parent int, o *overlap) {
	attrs := []attribute.KeyValue{
		attribute.String(spans.KeyDevice, device(o.device)),
		attribute.Int64(spans.KeyTransaction, int64(o.transaction)),
		attribute.String(spans.KeyJoin, o.how.String()),
	}
	if o.phase != "" {
		attrs = append(attrs, attribute.String(spans.KeyPhase, o.phase))
	}
	i := b.span(parent, spans.NameJBD2Commit,
		b.t.ID.Child(spans.NameJBD2Commit, uint64(o.transaction), uint64(o.start)), o.start, o.end, attrs...)
	b.link(i, o.commit, rootID(o.commit, spans.NameJournalCommit), spans.LinkCommit)
}
