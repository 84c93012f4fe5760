package assemble

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// pauses adds jvm.vmop and jvm.gc below the root, for they stop all of its phases
// at once; a GC stands in the operation that did it.
func (b *builder) pauses(all []*event.Pause) {
	var outer *event.Pause
	in := 0
	for _, p := range all {
		name, parent := spans.NameVMOperation, 0
		var attrs []attribute.KeyValue
		if p.GC {
			name = spans.NameGC
			attrs = append(attrs, attribute.Bool(spans.KeyFullGC, p.Full))
			if outer != nil && p.End <= outer.End {
				parent = in
			}
		}
		if p.Name != "" {
			attrs = append(attrs, attribute.String(spans.KeyVMOperation, p.Name))
		}
		i := b.span(parent, name, b.t.ID.Child(name, uint64(p.Start)), p.Start, p.End, attrs...)
		if !p.GC {
			outer, in = p, i
		}
	}
}
