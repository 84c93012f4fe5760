package kafka

import "errors"

// How a Produce request's records are read: uncompressed ones as they come,
// compressed ones once all of their bytes have come.

// beginHeaders forgets what was read of the request before.
func (p *ProduceRequest) beginHeaders(r *HeaderReader) {
	if p.headers != nil {
		p.dropGather()
		p.contexts.reset()
		p.HeadersCut = false
	}
	p.headers = r
	if r != nil {
		p.budget = RequestBudget()
	}
}

// beginRecords says whether the n bytes of a batch's records are to be looked
// at.
func (p *ProduceRequest) beginRecords(b *Batch, n int) bool {
	if !p.headers.Wanted() || n == 0 || b.Records == 0 {
		return false
	}
	p.idBytes = 0
	if b.Attributes&codecMask == codecNone {
		p.plain = true
		p.walk.begin(p.headers, &p.budget, b.Records, n, (*produceRecord)(p))
		p.walk.plain = true
		return true
	}
	if p.budget.Bytes <= 0 || p.budget.Records <= 0 || p.headers.Clock != nil && p.budget.Time <= 0 {
		p.HeadersCut = true
		return false
	}
	p.plain, p.due = false, min(n, p.budget.Bytes)
	p.beyond = n - p.due
	return true
}

// records reads on and says whether all of the batch has been passed over.
func (p *ProduceRequest) records(c *cursor) bool {
	if p.plain {
		if !p.walk.run(c) {
			return false
		}
		p.endRecords(p.walk.err)
		return true
	}
	c.hide(true)
	n := min(len(c.b)-c.off, p.due)
	piece := c.b[c.off : c.off+n]
	c.off += n
	c.unit()
	p.due -= n
	if p.due == 0 && p.gather == nil {
		p.decompress(piece)
	} else if !p.gathered(piece) {
		c.fail = short
		return false
	}
	c.pass(p.beyond)
	c.hide(false)
	return true
}

// gathered adds a piece to those before it, and reads them once they are all.
func (p *ProduceRequest) gathered(piece []byte) bool {
	if p.gather == nil && len(piece) > 0 {
		p.gather = p.headers.gathers.take(p)
	}
	mine := p.gather != nil && p.gather.owner == p
	if mine {
		p.gather.b = append(p.gather.b, piece...)
	}
	if p.due > 0 {
		return false
	}
	if mine {
		p.decompress(p.gather.b)
	} else {
		p.endRecords(ErrBudget) // it was taken away
	}
	return true
}

func (p *ProduceRequest) decompress(b []byte) {
	batch := &p.Partitions[len(p.Partitions)-1].Batch
	err := p.headers.Read(&p.budget, batch.Attributes, batch.Records, b, (*produceRecord)(p))
	if err != nil && p.beyond > 0 {
		err = ErrBudget
	}
	p.endRecords(err)
}

// endRecords notes how it went. What was read before an error stands.
func (p *ProduceRequest) endRecords(err error) {
	p.Partitions[len(p.Partitions)-1].HeadersFailed = errors.Is(err, ErrMalformed)
	p.HeadersCut = p.HeadersCut || err != nil
	p.dropGather()
}

// dropGather lets others have the storage.
func (p *ProduceRequest) dropGather() {
	if p.gather != nil && p.gather.owner == p {
		p.gather.owner = nil
	}
	p.gather = nil
}

// giveUpRecords ends the reading of a batch, because bytes were missed, and
// returns how many more are to be passed over.
func (p *ProduceRequest) giveUpRecords() int {
	n := p.due + p.beyond
	if p.plain {
		n = p.walk.giveUp()
	}
	p.endRecords(ErrMalformed)
	return n
}

// produceRecord is a request as the handler of the records of its last
// partition.
type produceRecord ProduceRequest

// Record implements RecordHandler.
func (r *produceRecord) Record(h *RecordHeaders) {
	if h.MessageID != nil {
		r.messageID(h.MessageID)
	}
	if h.Context != (TraceContext{}) {
		r.contexts.add(h.Context)
	}
}

func (r *produceRecord) messageID(id []byte) {
	at := &r.Partitions[len(r.Partitions)-1]
	if !addMessageID(&at.MessageIDs, &r.idBytes, id) {
		r.HeadersCut = true
	}
}
