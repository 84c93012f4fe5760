package capture

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
)

// Why the rest of a connection's requests cannot be known: event.ConnLost.
const (
	reasonClosed  = "closed"
	reasonReset   = "reset"
	reasonGap     = "gap"
	reasonExpired = "expired"
	reasonEvicted = "evicted"
)

// responses is a Decoder as the handler of its current connection's responses.
type responses Decoder

// Response implements kafka.ResponseHandler.
func (r *responses) Response(correlationID int32) kafka.Body {
	d, out := (*Decoder)(r), &r.cur.out
	d.responses++
	before := out.answers.find(correlationID)
	if before < 0 {
		d.unmatched++
		return nil
	}
	if r.cur.in.suspected {
		for ; before > 0; before-- {
			out.answers.pop()
		}
		d.agree(r.cur)
	}
	for range before {
		if a := out.answers.pop(); a.produce {
			d.lost["unanswered"]++
			d.outstanding--
		}
	}
	a := out.answers.pop()
	out.answer, out.hasAnswer = a, true
	switch {
	case a.produce:
		out.result = d.results.take().Begin(a.version, d.names)
		return out.result
	case a.follower:
		d.emitFetched(r.cur, &a)
	case a.key == kafka.KeyMetadata && a.version >= kafka.MetadataOldest && a.version <= kafka.MetadataLatest:
		out.topics = new(kafka.MetadataResponse).Begin(a.version, d.names) // rare: once in minutes
		return out.topics
	}
	return nil
}

// ResponseDone implements kafka.ResponseHandler.
func (r *responses) ResponseDone(_ int32, _ kafka.Body, err error) {
	d, c := (*Decoder)(r), r.cur
	out := &c.out
	throttle := int32(0)
	if err != nil {
		d.undecodable++
	}
	switch {
	case !out.hasAnswer:
	case out.result != nil:
		d.outstanding--
		if err == nil {
			throttle = out.result.ThrottleMS
			d.emitResponse(c, out.result)
		} else {
			d.lost["undecodable"]++
		}
	case out.topics != nil && err == nil:
		d.learn(c, out.topics)
	}
	out.sent(d.stamp, throttle)
	d.giveResult(c)
}

// ExpectToken implements kafka.ResponseHandler.
func (r *responses) ExpectToken(correlationID int32) (due, response bool) {
	q := &r.cur.out.answers
	if q.tokens == 0 || !q.front().token {
		return false, false
	}
	return true, q.find(correlationID) >= 0
}

// TokenDone implements kafka.ResponseHandler.
func (r *responses) TokenDone() {
	r.tokens++
	r.cur.out.sent(r.stamp, 0)
	if q := &r.cur.out.answers; q.tokens > 0 && q.front().token {
		q.pop()
	}
}

// giveResult puts the storage of the frame that was read back.
func (d *Decoder) giveResult(c *conn) {
	d.results.give(c.out.result)
	c.out.result, c.out.topics, c.out.hasAnswer = nil, nil, false
}

// learn passes on what a Metadata response says of topic ids.
func (d *Decoder) learn(c *conn, m *kafka.MetadataResponse) {
	if d.o.Topics == nil {
		return
	}
	for _, t := range m.Topics {
		d.o.Topics.Learn(c.pid, t.ID, t.Name)
	}
	if len(d.unnamed.order) > 0 {
		d.nameTopics(d.o.Clock.Mono(d.stamp))
	}
}

// emitResponse hands a response on.
func (d *Decoder) emitResponse(c *conn, b *kafka.ProduceResponse) {
	e := event.NewResponse(len(b.Partitions))
	e.Start, e.End = d.o.Clock.Mono(c.out.stream.First), d.o.Clock.Mono(d.stamp)
	e.StartUnix, e.EndUnix = c.out.stream.First, d.stamp
	e.Conn, e.CorrelationID, e.ThrottleMS = c.id, c.out.answer.correlationID, b.ThrottleMS
	for i := range b.Partitions {
		p, q := &b.Partitions[i], &e.Partitions[i]
		q.Topic, q.TopicID, q.Partition = p.Topic, p.TopicID, p.Partition
		q.Error, q.BaseOffset, q.LogAppendTime = p.Error, p.BaseOffset, p.LogAppendTime
		if p.Topic == "" {
			q.Topic = d.topicName(c, p.TopicID)
		}
	}
	d.muted(&c.out.previous, e)
	d.answered++
	d.o.Emit(e)
}

// dropAnswers says that the responses that are waited for cannot be known.
func (d *Decoder) dropAnswers(c *conn, reason string) { d.dropAnswersAt(c, reason, d.stamp) }

func (d *Decoder) dropAnswersAt(c *conn, reason string, at int64) {
	if d.countAnswers(c, reason) {
		d.emitLost(c, reason, at)
	}
}

// tearAnswer gives up the response that is being read. The requests behind it
// still wait: a later response finds the boundary again, and tells which of
// them were passed over.
func (d *Decoder) tearAnswer(c *conn) {
	if c.out.hasAnswer && c.out.answer.produce {
		d.lost[reasonGap]++
		d.outstanding--
	}
	d.giveResult(c)
}

// tellEnd says that a connection is over, once, if a produce request was
// handed on in it; also if no response is waited for, for nothing else ends a
// request with acks=0.
func (d *Decoder) tellEnd(c *conn, reason string, at int64) {
	if d.countAnswers(c, reason) || c.owed {
		d.emitLost(c, reason, at)
	}
	c.owed = false
}

// countAnswers gives up what is waited for, and says whether there was a
// produce request among it.
func (d *Decoder) countAnswers(c *conn, reason string) bool {
	n := c.out.answers.clear()
	if c.out.hasAnswer && c.out.answer.produce {
		n++
	}
	d.giveResult(c)
	if c.in.suspected {
		return false // none of them was handed on
	}
	d.outstanding -= n
	if n > 0 {
		d.lost[reason] += uint64(n)
	}
	return n > 0
}

func (d *Decoder) emitLost(c *conn, reason string, at int64) {
	d.o.Emit(&event.ConnLost{Time: d.o.Clock.Mono(at), Conn: c.id, Reason: reason, ByBroker: c.byBroker})
}
