package kafka

import "strings"

// records walks the records of an uncompressed batch for the values of one
// record header. It reads nothing else, keeps nothing, and gives up on what
// breaks the format without giving up the request.
//
// A record is: length, attributes, timestamp delta, offset delta, key length
// and key, value length and value, header count, and per header key length,
// key, value length and value; all lengths are zigzag varints.
type records struct {
	name   string
	ids    []string
	failed bool

	state   recordState
	left    int // bytes of the records field that no unit has taken
	count   int // records that have not begun
	headers int // of this record that have not begun
	total   int // bytes of all ids
}

type recordState uint8

const (
	recordHead recordState = iota
	recordValue
	recordHeaders
	recordHeaderKey
	recordHeaderValue
	recordOtherValue
	recordRest
)

// begin says whether the n bytes of a batch's records are to be walked.
func (w *records) begin(b *Batch, n int) bool {
	if w.name == "" || n == 0 || b.Records == 0 || b.Attributes&7 != 0 {
		return false
	}
	*w = records{name: w.name, left: n, count: int(b.Records)}
	return true
}

// run reads on and says whether all of the records have been passed over.
func (w *records) run(c *cursor) bool {
	c.hide(true)
	for c.more() {
		w.step(c)
		if c.fail != fine {
			return false
		}
		if w.state == recordRest || w.state == recordHead && w.count == 0 {
			c.pass(w.left)
			w.left = 0
			if !c.once {
				c.hide(false)
			}
			return true
		}
	}
	return false
}

// step reads one unit through a cursor of its own, whose frame is the records
// field.
func (w *records) step(c *cursor) {
	end := min(len(c.b), c.off+w.left)
	r := cursor{b: c.b[c.off:end], limit: w.left}
	pass := w.unit(&r)
	if r.fail == short {
		c.fail = short
		return
	}
	if r.fail != fine || pass < 0 || pass > w.left-r.off {
		w.state, w.ids, w.failed = recordRest, nil, true
		r.off, pass = len(r.b), 0
	}
	c.off += r.off
	c.unit()
	w.left -= r.off + pass
	c.pass(pass)
}

// giveUp drops the ids, because bytes were missed, and returns how many bytes
// of the records are left.
func (w *records) giveUp() int {
	n := w.left
	w.left, w.ids, w.failed = 0, nil, true
	return n
}

// unit reads the unit that is due and returns how many bytes to pass over
// behind it.
func (w *records) unit(r *cursor) (pass int) {
	switch w.state {
	case recordHead:
		r.varint() // length
		r.int8()   // attributes
		r.varlong()
		r.varint() // offset delta
		pass = max(r.varint(), 0)
		w.to(r, recordValue, &w.count)
	case recordValue:
		pass = max(r.varint(), 0)
		w.to(r, recordHeaders, nil)
	case recordHeaders:
		n := r.varint()
		if n < 0 || n > MaxRecordHeaders {
			return -1
		}
		if r.fail == fine {
			w.headers = n
			w.nextHeader()
		}
	case recordHeaderKey:
		return w.headerKey(r)
	case recordHeaderValue:
		w.value(r)
	case recordOtherValue:
		pass = max(r.varint(), 0)
		if r.fail == fine {
			w.nextHeader()
		}
	}
	return pass
}

// to goes to a state, and counts one down, once the unit is whole.
func (w *records) to(r *cursor, s recordState, n *int) {
	if r.fail != fine {
		return
	}
	w.state = s
	if n != nil {
		*n--
	}
}

func (w *records) nextHeader() {
	if w.headers == 0 {
		w.state = recordHead
		return
	}
	w.headers--
	w.state = recordHeaderKey
}

func (w *records) headerKey(r *cursor) (pass int) {
	n := r.varint()
	if r.fail == fine && n != len(w.name) {
		w.state = recordOtherValue
		return n
	}
	key := r.bytes(n)
	if r.fail != fine {
		return 0
	}
	w.state = recordOtherValue
	if string(key) == w.name {
		w.state = recordHeaderValue
	}
	return 0
}

func (w *records) value(r *cursor) {
	n := r.varint()
	if r.fail == fine && n > MaxMessageIDBytes {
		r.fail = bound
	}
	v := r.bytes(max(n, 0))
	if r.fail != fine {
		return
	}
	if len(w.ids) >= MaxMessageIDs || w.total+len(v) > MaxMessageIDTotal {
		w.state = recordRest // what there is stands
		return
	}
	if n >= 0 {
		w.total += len(v)
		w.ids = append(w.ids, strings.ToValidUTF8(string(v), "\uFFFD"))
	}
	w.nextHeader()
}
