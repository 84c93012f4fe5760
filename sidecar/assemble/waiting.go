package assemble

import "slices"

// waiters are the parts that wait for the same batch, in order.
type waiters struct{ first, last *part }

// expect gives a part its log and makes it a candidate for coming writes, where
// these are seen.
func (b *broker) expect(p *part) {
	q := p.asked()
	p.log = b.log(q.TopicPartition)
	p.logEnd, p.holes = p.log.next, p.log.holes
	if !b.packetsOnly() {
		b.await(p)
	}
	if q.Topic == "" {
		b.awaitName(p)
	}
}

// await puts a part among those that wait for a write, behind all others of the
// same bytes.
func (b *broker) await(p *part) {
	p.waiting = true
	p.log.waiting = append(p.log.waiting, p)
	if p.unacked() {
		p.log.unacked++
	}
	key := p.key()
	same, ok := b.byBatch[key]
	if ok {
		same.last.same = p
	} else {
		same.first = p
	}
	same.last = p
	b.byBatch[key] = same
}

// key is what the part's batch is found by.
func (p *part) key() batchKey {
	q := p.asked()
	return batchKey{p.log, q.CRC, q.Bytes}
}

// unexpect takes it back.
func (b *broker) unexpect(p *part) {
	if !p.waiting {
		return
	}
	p.waiting = false
	p.log.waiting = without(p.log.waiting, p)
	if p.unacked() {
		p.log.unacked--
	}
	key := p.key()
	same := b.byBatch[key]
	if same.first == same.last {
		delete(b.byBatch, key)
		return
	}
	var before *part
	for x := same.first; x != p; x = x.same {
		before = x
	}
	if before == nil {
		same.first = p.same
	} else {
		before.same = p.same
	}
	if same.last == p {
		same.last = before
	}
	b.byBatch[key], p.same = same, nil
}

// without is all without x. What waits leaves in the order in which it came,
// mostly, and so costs no search and no shift.
func without[T any](all []*T, x *T) []*T {
	i := slices.Index(all, x)
	switch {
	case i < 0:
		return all
	case i == 0:
		all[0] = nil
		return all[1:]
	}
	return slices.Delete(all, i, i+1)
}
