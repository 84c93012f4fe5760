package sample

// A stratum's candidates are a pairing heap, the least randomness on top. Its
// links lie in the pool's slots, so that all heaps together take no more than
// the pool.

// meld makes one heap of two.
func (p *pool) meld(a, b uint32) uint32 {
	if a == none {
		return b
	}
	if b == none {
		return a
	}
	if p.items[b].rank < p.items[a].rank {
		a, b = b, a
	}
	p.items[b].sibling = p.items[a].child
	p.items[a].child = b
	return a
}

// behead takes the top off a heap and returns what is left: its children,
// melded by pairs, then the pairs.
func (p *pool) behead(top uint32) (rest uint32) {
	c := p.items[top].child
	p.items[top].child = none
	pairs := none
	for c != none {
		a, b := c, p.items[c].sibling
		c = none
		if b != none {
			c, p.items[b].sibling = p.items[b].sibling, none
		}
		p.items[a].sibling = none
		pair := p.meld(a, b)
		p.items[pair].sibling = pairs
		pairs = pair
	}
	for pairs != none {
		pair := pairs
		pairs, p.items[pair].sibling = p.items[pair].sibling, none
		rest = p.meld(rest, pair)
	}
	return rest
}
