package kafka

// gathers holds the compressed bytes of the batches that are being read, each
// come in several pieces of a stream. There are few, and a request that was
// begun and never finished may hold one for long: so the longest held is taken
// away where another one is needed.
type gathers struct {
	all  []*gather
	turn uint64
}

type gather struct {
	owner *ProduceRequest
	turn  uint64
	b     []byte
}

// take gives a request an empty one.
func (g *gathers) take(p *ProduceRequest) *gather {
	g.turn++
	var at *gather
	for _, x := range g.all {
		if at == nil || x.held() < at.held() {
			at = x
		}
	}
	if (at == nil || at.held() > 0) && len(g.all) < maxGathers {
		at = new(gather)
		g.all = append(g.all, at)
	}
	at.owner, at.turn, at.b = p, g.turn, at.b[:0]
	return at
}

// held is 0 where nobody needs it any more, else when it was taken.
func (x *gather) held() uint64 {
	if x.owner == nil || x.owner.gather != x {
		return 0
	}
	return x.turn
}
