package assemble

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

func (a *Assembler) response(e *event.Response) {
	r := a.take(e)
	if r == nil {
		a.stats.NoRequest++
		return
	}
	r.resp, r.end = e, e.Start
	r.muted, r.throttled = max(r.muted, e.Before), max(r.throttled, e.Throttled)
	parts := partsByName{r: r}
	for i := range e.Partitions {
		if p := parts.find(&e.Partitions[i], i); p != nil {
			r.b.learn(p, e.Partitions[i].Topic)
			a.answer(p, &e.Partitions[i])
		}
	}
	r.replicated()
	a.close(r, e.End)
}

// partsByName finds the parts of a request that a response speaks of.
type partsByName struct {
	r     *request
	index map[partName]int // nil until needed
}

// partName is a topic-partition; by its id where there is one.
type partName struct {
	topic     string
	id        [16]byte
	partition int32
}

func nameOf(tp event.TopicPartition, id [16]byte) partName {
	if id != ([16]byte{}) {
		tp.Topic = ""
	}
	return partName{tp.Topic, id, tp.Partition}
}

// find is the part that a partition of the response answers, nil if the request
// has none such. Brokers answer few partitions in the order of the request,
// hence the hint, and many in any.
func (x *partsByName) find(p *event.ResponsePartition, hint int) *part {
	const few = 16
	asked, name := x.r.ev.Partitions, nameOf(p.TopicPartition, p.TopicID)
	is := func(i int) bool { return nameOf(asked[i].TopicPartition, asked[i].TopicID) == name }
	if hint < len(asked) && is(hint) {
		return &x.r.parts[hint]
	}
	if len(asked) > few {
		return x.lookUp(name)
	}
	for i := range asked {
		if is(i) {
			return &x.r.parts[i]
		}
	}
	return nil
}

func (x *partsByName) lookUp(name partName) *part {
	if x.index == nil {
		asked := x.r.ev.Partitions
		x.index = make(map[partName]int, len(asked))
		for i := len(asked) - 1; i >= 0; i-- { // the first one of a name counts
			x.index[nameOf(asked[i].TopicPartition, asked[i].TopicID)] = i
		}
	}
	i, ok := x.index[name]
	if !ok {
		return nil
	}
	return &x.r.parts[i]
}

// answer takes the broker's word on one partition: the base offset decides,
// for the written header carries it too.
func (a *Assembler) answer(p *part, e *event.ResponsePartition) {
	p.answered, p.err, p.base = true, e.Error, e.BaseOffset
	p.r.b.unexpect(p)
	if p.base < 0 {
		if p.err != 0 && p.join == joinTentative {
			p.join = joinInferred // the same bytes, but nothing confirms it
		}
		return
	}
	if p.write != nil && p.write.ev.BaseOffset != p.base {
		p.unjoin()
	}
	a.place(p)
}

// place joins a partition with the write at the base offset of its response.
func (a *Assembler) place(p *part) {
	w := p.log.at(p.base)
	switch {
	case w == nil:
		p.duplicate = p.write == nil && p.base < p.logEnd
	case !p.precedes(w.ev):
		p.duplicateOf(w)
	case w.part == nil || w.part == p || w.part.guessed():
		a.join(p, w, joinExact)
	case w.part.answered && w.part.base == p.base: // a retry that overtook, or was overtaken
		p.duplicateOf(w)
	}
}

// guessed says that a part's write can yet turn out to be another one's: no
// base offset says whose it is.
func (p *part) guessed() bool {
	return p.join == joinTentative || p.unacked() && !p.r.finished
}

// duplicateOf: the batch stood in the log before the request came, or was put
// there for another one (an idempotent producer's retry); the broker answers
// with the old base offset.
func (p *part) duplicateOf(w *write) {
	p.duplicate, p.first.write = true, w
}

// firstWriter is the write that brought a duplicate's batch to the log. Whose
// it was is known for good when that request is finished.
type firstWriter struct {
	write *write // until resolved
	id    spans.TraceID
	span  spans.SpanID
}

// settled says that its request, unless it is r itself, is finished.
func (f *firstWriter) settled(r *request) bool {
	if f.write == nil {
		return true
	}
	x := f.write.request()
	return x == nil || x == r || x.finished
}

// resolve turns it into values.
func (f *firstWriter) resolve() {
	if f.write == nil {
		return
	}
	if r := f.write.request(); r != nil {
		ids := r.ids()
		f.id, f.span = ids.trace, f.write.spanID(ids.seed)
	}
	f.write = nil
}
