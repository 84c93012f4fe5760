package assemble

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/spans"
)

// name is `produce {topic}` where there is one topic.
func (r *request) name() string {
	ps := r.ev.Partitions
	if r.bare {
		return spans.NameAppend + " " + ps[0].Topic + "-" + itoa(ps[0].Partition)
	}
	if topic, one := r.topic(); one {
		return r.a.rootName(topic)
	}
	return spans.NameProduce
}

// kind is Internal where no client's request was seen.
func (r *request) kind() spans.Kind {
	if r.bare {
		return spans.Internal
	}
	return spans.Server
}

// topic is the one of all partitions, if there is one.
func (r *request) topic() (topic string, one bool) {
	ps := r.ev.Partitions
	for i := range ps {
		if topicName(&ps[i]) != topicName(&ps[0]) {
			return "", false
		}
	}
	if len(ps) == 0 {
		return "", false
	}
	return topicName(&ps[0]), true
}

// error is the status of the root: the first partition's error, that it was
// lost, or why there was no response.
func (r *request) error() string {
	for i := range r.parts {
		if e := r.parts[i].err; e != 0 {
			return kafka.ErrorName(e)
		}
	}
	switch {
	case r.lostRecords > 0 && r.byBroker:
		return "never appended: the broker closed the connection"
	case r.lostRecords > 0:
		return "never appended: the connection was closed"
	case r.lost != "" && r.lost != notSeen && r.ev.Acks != 0:
		return "no response: " + r.lost
	}
	return ""
}

// links are the root's: to the first writers of its duplicates, and to the
// contexts of its producers, unless it is a part of the one's trace.
func (r *request) links() (links []spans.Link) {
	for i := range r.parts {
		if f := &r.parts[i].first; !f.id.IsZero() && len(links) < maxLinks {
			links = append(links, spans.Link{Trace: f.id, Span: f.span, Attributes: linkDuplicate})
		}
	}
	if _, adopted := r.parent(); adopted {
		return links
	}
	for _, c := range r.contexts() {
		links = append(links, spans.Link{Trace: c.TraceID, Span: c.SpanID, Remote: true, Attributes: linkProducer})
	}
	return links
}

var (
	linkDuplicate = []attribute.KeyValue{attribute.String(spans.KeyLinkKind, spans.LinkDuplicate)}
	linkProducer  = []attribute.KeyValue{attribute.String(spans.KeyLinkKind, spans.LinkProducer)}
)
