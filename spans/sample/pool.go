package sample

import "github.com/tailspan/tailspan/spans"

// none is no slot of a pool.
const none = uint32(0)

// must says what keeps a held candidate even if its class gives it up.
type must uint8

const (
	mustNot must = iota
	mustLinked
	mustSlowest
)

// held is a candidate that waits, unbuilt, for the end of its second or of the
// interval of the slowest.
type held struct {
	c       Candidate
	sum     spans.Summary
	rank    uint64 // its randomness
	class   Class
	stratum int32 // where it competes; nowhere: given up there, or was never to
	must    must
	top     bool // in the list of the slowest
	lost    mark // what becomes of it if nobody wants it

	child, sibling uint32 // in its stratum's heap; sibling of a free slot: the next one
}

const nowhere = int32(-1)

// pool holds candidates in slots that stay where they are. The zero value
// holds nothing.
type pool struct {
	items []held                   // from 1 on
	index map[spans.TraceID]uint32 // of several with one id, the last
	free  uint32
	load  load
}

func newPool() pool {
	return pool{items: make([]held, 1), index: map[spans.TraceID]uint32{}}
}

func (p *pool) add(it held) uint32 {
	at := p.free
	if at != none {
		p.free = p.items[at].sibling
	} else {
		at = uint32(len(p.items))
		p.items = append(p.items, held{})
	}
	p.items[at] = it
	p.index[it.sum.ID] = at
	p.load.add(it.sum.Request)
	return at
}

// find returns the slot of an id, none without one.
func (p *pool) find(id spans.TraceID) uint32 { return p.index[id] }

// release frees a slot, which must be in no heap.
func (p *pool) release(at uint32) {
	sum := &p.items[at].sum
	p.load.remove(sum.Request)
	if p.index[sum.ID] == at {
		delete(p.index, sum.ID)
	}
	p.items[at] = held{sibling: p.free}
	p.free = at
}
