package kafka

// tags passes over the tagged fields that end every flexible structure.
type tags struct {
	left    int
	counted bool
}

// none passes over the count if there are none, as nearly always, and says so.
// A unit has just ended. It is apart from run to be small.
func (t *tags) none(c *cursor) bool {
	if t.counted || c.off >= len(c.b) || c.b[c.off] != 0 {
		return false
	}
	c.off++
	c.mark = c.off
	return true
}

// run reads on and says whether all of them have been passed over.
func (t *tags) run(c *cursor) bool {
	if t.none(c) {
		return true
	}
	if !t.counted {
		n := int(c.uvarint())
		if n > MaxTags && c.fail == fine {
			c.fail = bound
		}
		if !c.unit() {
			return false
		}
		t.left, t.counted = n, true
	}
	for t.left > 0 {
		if !c.more() {
			return false
		}
		c.uvarint()
		size := int(c.uvarint())
		if size > c.limit-c.off && c.fail == fine {
			c.fail = broken
		}
		if !c.unit() {
			return false
		}
		t.left--
		c.pass(size)
	}
	t.counted = false
	return true
}
