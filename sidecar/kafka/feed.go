package kafka

// body decodes the fields of one frame after its header.
type body interface {
	// run reads units while c.more() and the frame has not ended.
	run(c *cursor)
	// ended says that the last field has been read.
	ended() bool
	// giveUp leaves out what can be done without, because bytes were missed,
	// and returns how many more bytes are to be passed over for that.
	giveUp() int
}

// feed hands the bytes of one frame to a body, piece by piece.
type feed struct {
	body  body // nil: pass over what is left
	left  int  // bytes of the frame that no unit has taken yet
	skip  int  // of them, to be passed over next
	carry []byte
	err   error
	c     cursor
}

// begin starts on the left bytes that follow a header.
func (f *feed) begin(b body, left int) {
	f.body, f.left, f.skip, f.carry, f.err = b, left, 0, f.carry[:0], nil
}

// push takes bytes of the frame from b, which stands at base in its piece,
// and returns how many: less than all only when the frame has ended.
func (f *feed) push(b []byte, k *Kept, base int) int {
	n := 0
	for f.left > 0 && n < len(b) {
		switch {
		case f.skip > 0:
			m := min(f.skip, len(b)-n)
			f.skip -= m
			f.left -= m
			n += m
		case f.body == nil:
			f.skip = f.left
		case len(f.carry) > 0:
			n += f.resume(b[n:], k, base+n)
		default:
			n += f.decode(b[n:], k, base+n)
		}
	}
	return n
}

// decode runs the body over bytes that stand in the piece itself.
func (f *feed) decode(b []byte, k *Kept, base int) int {
	b = b[:min(len(b), f.left)]
	c := &f.c
	c.reset(b, f.left)
	c.kept, c.base = k, base
	f.body.run(c)
	c.flush()
	f.left -= c.mark
	f.skip = c.skip
	if c.fail == short {
		return c.mark + f.keepForLater(b[c.mark:], k, base+c.mark)
	}
	f.judge(c)
	return c.mark
}

// resume completes the unit that began in an earlier piece.
func (f *feed) resume(b []byte, k *Kept, base int) int {
	const step = 256 // most units are smaller: what is too much is copied in vain
	old := len(f.carry)
	b = b[:min(len(b), f.left-old, step)]
	f.carry = append(f.carry, b...)
	c := &f.c
	c.reset(f.carry, f.left)
	c.once = true
	f.body.run(c)
	if c.fail == short {
		f.carry = f.carry[:old]
		return f.keepForLater(b, k, base)
	}
	used, over := max(c.mark-old, 0), max(old-c.mark, 0)
	if !c.hidden {
		k.add(base, base+used)
	}
	f.left -= max(c.mark, old)
	f.skip = max(c.skip-over, 0) // a unit that turned out shorter: its end was carried
	f.carry = f.carry[:0]
	f.judge(c)
	return used
}

// keepForLater carries the bytes of a unit that is not whole.
func (f *feed) keepForLater(b []byte, k *Kept, base int) int {
	if len(f.carry)+len(b) > maxUnit {
		f.abandon(ErrBound)
		return 0
	}
	f.carry = append(f.carry, b...)
	if !f.c.hidden {
		k.add(base, base+len(b))
	}
	return len(b)
}

// judge looks at how a run ended.
func (f *feed) judge(c *cursor) {
	switch {
	case c.fail == bound:
		f.abandon(ErrBound)
	case c.fail == broken:
		f.abandon(ErrMalformed)
	case f.left > f.skip && f.body.ended():
		f.abandon(ErrTrailing)
	}
}

// end says how the frame went, once all of its bytes have been taken.
func (f *feed) end() error {
	if f.err == nil && f.body != nil && !f.body.ended() {
		f.err = ErrMalformed
	}
	return f.err
}

// abandon passes over the rest of the frame.
func (f *feed) abandon(err error) {
	f.left -= len(f.carry)
	f.body, f.err, f.skip, f.carry = nil, err, 0, f.carry[:0]
}

// lost says whether n bytes that will not come can be done without: they were
// to be passed over.
func (f *feed) lost(n int) bool {
	if f.body == nil {
		f.skip = f.left
	} else if more := f.body.giveUp(); more > 0 {
		f.left -= len(f.carry)
		f.skip += more - len(f.carry)
		f.carry = f.carry[:0]
	}
	if n > f.skip || len(f.carry) > 0 {
		return false
	}
	f.skip -= n
	f.left -= n
	return true
}
