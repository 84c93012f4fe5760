package assemble

import (
	"time"

	"github.com/tailspan/tailspan/spans"
)

// maxNames bounds the names of roots that are remembered.
const maxNames = 1 << 12

// rootName is `produce {topic}`, made once a topic.
func (a *Assembler) rootName(topic string) string {
	name, ok := a.names[topic]
	if !ok {
		if len(a.names) >= maxNames {
			clear(a.names)
		}
		name = spans.NameProduce + " " + topic
		a.names[topic] = name
	}
	return name
}

// Summary is good once the request is finished.
func (r *request) Summary() spans.Summary {
	topic, _ := r.topic()
	return spans.Summary{
		ID: r.traceID(), Resource: r.b.id.Resource, Name: r.name(), Kind: r.kind(), Topic: topic,
		Start: r.ev.ArrivalUnix, Latency: r.Latency(), Cause: r.verdict.cause, RootCause: r.verdict.root,
		Failed: r.error() != "", Request: true, Explains: r.blocked != nil || r.linked(),
	}
}

// Summary of a commit: a slow one is worth keeping though it held up nobody.
func (t *commitTrace) Summary() spans.Summary {
	s := t.a.summary(t.c.b, t.c.id, spans.NameJournalCommit)
	s.Start, s.Latency = t.a.o.Clock.Unix(t.c.ev.Start), time.Duration(t.c.ev.End-t.c.ev.Start)
	return s
}

func (t *flushTrace) Summary() spans.Summary {
	s := t.a.summary(t.a.brokers[t.thread.PID], t.id, t.name)
	s.Start, s.Latency = t.a.o.Clock.Unix(t.start), time.Duration(t.end-t.start)
	return s
}

// Summary has no latency, so that it is worth keeping only where it is linked to.
func (t *lone) Summary() spans.Summary {
	s := t.a.summary(t.b, t.id, t.name)
	s.Start = t.a.o.Clock.Unix(t.start)
	s.Cause, s.RootCause, _ = t.causes()
	return s
}

// summary is what those have in common that are no requests.
func (a *Assembler) summary(b *broker, id spans.TraceID, name string) spans.Summary {
	s := spans.Summary{ID: id, Name: name, Kind: spans.Internal, Explains: true}
	if b = a.ownerOf(b); b != nil {
		s.Resource = b.id.Resource
	}
	return s
}

// places are where the records of the request are that it wrote.
func (r *request) places() (all []spans.Place) {
	for i := range r.parts {
		p, q := &r.parts[i], &r.ev.Partitions[i]
		base := p.place()
		if base < 0 || len(all) >= maxListed {
			continue
		}
		all = append(all, spans.Place{Topic: topicName(q), Partition: q.Partition, Base: base, Last: base + max(int64(q.Records), 1) - 1})
	}
	return all
}

// place is the base offset that the part's records got from this request; -1:
// none, or not known.
func (p *part) place() int64 {
	base := p.base
	if base < 0 && p.write != nil && p.write.ev.Bytes > 0 {
		base = p.write.ev.BaseOffset
	}
	if p.duplicate || p.err != 0 && p.write == nil {
		return -1
	}
	return base
}
