package kafka

// Kept collects the ranges of a piece whose bytes were decoded. A nil Kept
// collects nothing.
type Kept struct{ Ranges []Range }

// Range is the bytes [From, To) of a piece.
type Range struct{ From, To int }

// Reset forgets the ranges, not their storage.
func (k *Kept) Reset() { k.Ranges = k.Ranges[:0] }

func (k *Kept) add(from, to int) {
	if k == nil || from >= to {
		return
	}
	if n := len(k.Ranges); n > 0 && k.Ranges[n-1].To == from {
		k.Ranges[n-1].To = to
		return
	}
	k.Ranges = append(k.Ranges, Range{from, to})
}

// cursor reads fields from the bytes at hand. It is sticky: after a failed
// read every read gives zero. Fields are read in units, small groups that are
// taken whole or not at all: unit() commits one, and what a unit changes in
// its decoder it changes after that.
type cursor struct {
	b     []byte
	off   int
	mark  int // up to here units are committed
	limit int // bytes from b[0] to the end of the frame
	skip  int // bytes to be passed over that are not at hand
	fail  failure
	once  bool // b is the carried unit: stop after it

	kept   *Kept
	base   int // of b[0] in the piece
	from   int // kept from here on, unless hidden
	hidden bool
}

// reset puts the cursor before other bytes. Field by field: a whole cursor
// would be made on the stack and copied.
func (c *cursor) reset(b []byte, limit int) {
	c.b, c.limit = b, limit
	c.off, c.mark, c.skip, c.fail, c.once = 0, 0, 0, fine, false
	c.kept, c.base, c.from, c.hidden = nil, 0, 0, false
}

type failure uint8

const (
	fine  failure = iota
	short         // the unit goes on in the next piece
	broken
	bound
)

// more says whether another unit may be read.
func (c *cursor) more() bool {
	return c.fail == fine && c.skip == 0 && !(c.once && c.mark > 0)
}

// unit ends a unit and says whether it was whole.
func (c *cursor) unit() bool {
	if c.fail != fine {
		return false
	}
	c.mark = c.off
	return true
}

// room says that n more bytes are at hand.
func (c *cursor) room(n int) bool {
	if c.fail != fine {
		return false
	}
	if uint(n) <= uint(len(c.b)-c.off) {
		return true
	}
	if n < 0 || n > c.limit-c.off {
		c.fail = broken
	} else {
		c.fail = short
	}
	return false
}

// pass passes over n bytes, which are not kept. A unit has just ended.
func (c *cursor) pass(n int) {
	if n < 0 || n > c.limit-c.off-c.skip {
		c.fail = broken
		return
	}
	if !c.once && c.skip == 0 {
		c.flush()
		at := min(n, len(c.b)-c.off)
		c.off += at
		c.mark, c.from = c.off, c.off
		n -= at
	}
	c.skip += n
}

// flush notes what has been decoded since the last time.
func (c *cursor) flush() {
	if c.kept != nil && !c.hidden {
		c.kept.add(c.base+c.from, c.base+c.mark)
	}
	c.from = c.mark
}

// hide begins, or ends, units whose bytes are not kept.
func (c *cursor) hide(h bool) {
	if c.hidden != h {
		c.flush()
		c.hidden = h
	}
}
