package assemble

import (
	"encoding/base64"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/spans"
)

// maxListed bounds the lists on a root: partitions, offsets, message ids.
const maxListed = 256

// attributes are those of the root.
func (r *request) attributes() []attribute.KeyValue {
	e := r.ev
	records, bytes := r.cut.records, r.cut.bytes
	for i := range e.Partitions {
		records += int64(e.Partitions[i].Records)
		bytes += int64(e.Partitions[i].Bytes)
	}
	attrs := []attribute.KeyValue{
		attribute.String(spans.KeySystem, "kafka"),
		attribute.String(spans.KeyClientID, e.ClientID),
		attribute.String(spans.KeyClientAddress, e.Client.Addr().String()),
		attribute.Int64(spans.KeyClientPort, int64(e.Client.Port())),
		attribute.String(spans.KeyServerAddress, e.Broker.Addr().String()),
		attribute.Int64(spans.KeyServerPort, int64(e.Broker.Port())),
		attribute.Int64(spans.KeyAPIVersion, int64(e.APIVersion)),
		attribute.Int64(spans.KeyCorrelationID, int64(e.CorrelationID)),
		attribute.Int64(spans.KeyAcks, int64(e.Acks)),
		attribute.Int64(spans.KeyBatchCount, records),
		attribute.Int64(spans.KeyBodySize, bytes),
	}
	attrs = r.verdict.attributes(attrs)
	attrs = r.othersAttributes(attrs)
	if e.PID != 0 {
		attrs = append(attrs, attribute.Int64(spans.KeyPID, int64(e.PID)))
	}
	if e.TransactionalID != "" {
		attrs = append(attrs, attribute.String(spans.KeyTransactionalID, e.TransactionalID))
	}
	if r.lostRecords > 0 {
		attrs = append(attrs, attribute.Int64(spans.KeyLostRecords, r.lostRecords))
	}
	attrs = append(attrs, r.headerAttributes()...)
	if r.resp != nil && r.resp.ThrottleMS > 0 {
		attrs = append(attrs, attribute.Int64(spans.KeyThrottle, int64(r.resp.ThrottleMS)))
	}
	return append(attrs, r.partitionAttributes()...)
}

// attributes are where the time went.
func (v *verdict) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs,
		attribute.String(spans.KeyCause, string(v.cause)),
		attribute.String(spans.KeyRootCause, string(v.root)),
		attribute.Int64(spans.KeyUnexplained, int64(v.unexplained)))
	if v.reason != "" {
		attrs = append(attrs, attribute.String(spans.KeyReason, v.reason))
	}
	return attrs
}

// othersAttributes are what it cost others, and that their waits may be missing.
func (r *request) othersAttributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = r.blocked.attributes(attrs)
	if r.unwatched {
		attrs = append(attrs, attribute.Bool(spans.KeyUnwatched, true))
	}
	return attrs
}

func (r *request) partitionAttributes() []attribute.KeyValue {
	var names, errors []string
	var offsets []int64
	duplicate := false
	for i := range min(len(r.parts), maxListed) {
		p, q := &r.parts[i], &r.ev.Partitions[i]
		name := topicName(q) + "-" + itoa(q.Partition)
		names, offsets = append(names, name), append(offsets, p.base)
		if p.err != 0 {
			errors = append(errors, name+": "+kafka.ErrorName(p.err))
		}
		duplicate = duplicate || p.duplicate
	}
	attrs := []attribute.KeyValue{
		attribute.StringSlice(spans.KeyPartitions, names),
		attribute.Int64Slice(spans.KeyBaseOffsets, offsets),
	}
	if topic, one := r.topic(); one {
		attrs = append(attrs, attribute.String(spans.KeyDestination, topic))
	}
	if len(r.parts) == 1 {
		attrs = append(attrs, attribute.String(spans.KeyPartitionID, itoa(r.ev.Partitions[0].Partition)))
	}
	if errors != nil {
		attrs = append(attrs, attribute.StringSlice(spans.KeyErrors, errors))
	}
	if duplicate {
		attrs = append(attrs, attribute.Bool(spans.KeyDuplicate, true))
	}
	return attrs
}

// headerAttributes are what the record headers said, but for the contexts that
// became links.
func (r *request) headerAttributes() (attrs []attribute.KeyValue) {
	var ids []string
	for i := range min(len(r.parts), maxListed) {
		all := r.ev.Partitions[i].MessageIDs
		ids = append(ids, all[:min(len(all), maxListed-len(ids))]...)
	}
	if ids != nil {
		attrs = append(attrs, attribute.StringSlice(spans.KeyMessageIDs, ids))
	}
	if n := int(r.ev.ContextsOmitted) + len(r.ev.Contexts) - len(r.contexts()); n > 0 {
		attrs = append(attrs, attribute.Int(spans.KeyContextsOmitted, n))
	}
	if r.ev.HeadersCut {
		attrs = append(attrs, attribute.Bool(spans.KeyHeadersCut, true))
	}
	return attrs
}

// contexts are those that become links.
func (r *request) contexts() []event.TraceContext {
	return r.ev.Contexts[:min(len(r.ev.Contexts), maxLinks)]
}

// phaseAttributes are those of a phase's own span.
func (r *request) phaseAttributes(p *phase) []attribute.KeyValue {
	switch {
	case p.write != nil:
		return r.appendAttributes(p.part)
	case p.name == spans.NameQueue:
		return r.queueAttributes()
	case p.name == spans.NameSocket:
		return []attribute.KeyValue{attribute.String(spans.KeyJoin, joinInferred.String())}
	case p.name != spans.NameReplication:
		return nil
	case r.follower.at == 0:
		return []attribute.KeyValue{attribute.String(spans.KeyReplication, "ISR change or unknown")}
	}
	return []attribute.KeyValue{
		attribute.String(spans.KeyReplication, "follower"),
		attribute.Int64(spans.KeyFollower, int64(r.follower.replica)),
		attribute.String(spans.KeyJoin, joinInferred.String()),
	}
}

// appendAttributes are those of one partition's append.
func (r *request) appendAttributes(part int) []attribute.KeyValue {
	q, w := &r.ev.Partitions[part], r.parts[part].write
	return []attribute.KeyValue{
		attribute.String(spans.KeyDestination, topicName(q)),
		attribute.String(spans.KeyPartitionID, itoa(q.Partition)),
		attribute.Int64(spans.KeyBaseOffset, w.ev.BaseOffset),
		attribute.Int64(spans.KeyBatchCount, int64(q.Records)),
		attribute.Int64(spans.KeyBodySize, int64(q.Bytes)),
		attribute.Int64(spans.KeyProducerID, q.ProducerID),
	}
}

// bareAttributes are those of an append that is a trace's root.
func (r *request) bareAttributes() []attribute.KeyValue {
	attrs := append(r.appendAttributes(0),
		attribute.String(spans.KeySystem, "kafka"),
		attribute.Int64(spans.KeyPID, int64(r.ev.PID)))
	attrs = r.verdict.attributes(attrs)
	attrs = r.othersAttributes(attrs)
	return append(attrs, r.headerAttributes()...)
}

// topicName is the topic, or Kafka's form of its id while that is unresolved.
func topicName(p *event.RequestPartition) string {
	if p.Topic == "" && p.TopicID != ([16]byte{}) {
		return base64.RawURLEncoding.EncodeToString(p.TopicID[:])
	}
	return p.Topic
}
