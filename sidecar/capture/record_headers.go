package capture

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
)

// RecordHeaders is what a request's records said, but for the message ids,
// which belong to its partitions.
type RecordHeaders struct {
	Contexts []event.TraceContext // distinct
	Omitted  int32                // further ones
	Shared   bool                 // all records carry the one that there is, sampled
	Cut      bool                 // the budget ran out: there may be more of all
}

// headerReader is nil where no record is to be looked at: nothing is wanted of
// them, or a recording has it.
func headerReader(o *Options) *kafka.HeaderReader {
	r := &kafka.HeaderReader{MessageID: o.MessageIDHeader, Contexts: o.TraceContext, Clock: o.Nanotime}
	if !r.Wanted() || o.MessageIDs != nil || o.RecordHeaders != nil {
		return nil
	}
	return r
}

// messageIDs are those of one partition, as they were read or recorded.
func (d *Decoder) messageIDs(c *conn, h *kafka.RequestHeader, i int, read []string) []string {
	if d.o.MessageIDs != nil {
		ids, _ := d.o.MessageIDs(c.client, c.broker, h.CorrelationID, i)
		return ids
	}
	if d.o.OnMessageIDs != nil && len(read) > 0 {
		d.o.OnMessageIDs(c.client, c.broker, h.CorrelationID, i, read)
	}
	return read
}

// recordHeaders fills in the rest of what the records said.
func (d *Decoder) recordHeaders(c *conn, h *kafka.RequestHeader, b *kafka.ProduceRequest, e *event.Request) {
	var r RecordHeaders
	if d.o.RecordHeaders != nil {
		r = d.o.RecordHeaders(c.client, c.broker, h.CorrelationID)
	} else {
		list, omitted := b.Contexts()
		for _, x := range list {
			r.Contexts = append(r.Contexts, event.TraceContext(x))
		}
		r.Omitted, r.Shared, r.Cut = int32(omitted), b.SharedContext(), b.HeadersCut
		if d.o.OnRecordHeaders != nil && (len(list) > 0 || r.Cut) {
			d.o.OnRecordHeaders(c.client, c.broker, h.CorrelationID, r)
		}
	}
	e.Contexts, e.ContextsOmitted, e.ContextShared, e.HeadersCut = r.Contexts, r.Omitted, r.Shared, r.Cut
}
