package kafka

// records walks the records of a batch for the values of two record headers.
// It reads nothing else and keeps nothing of the rest. It takes the bytes in
// pieces of any size: from the stream itself, or decompressed.
//
// A record is: length, attributes, timestamp delta, offset delta, key length
// and key, value length and value, header count, and per header key length,
// key, value length and value; all lengths are zigzag varints
// (https://kafka.apache.org/documentation/#record). Of several headers of one
// name in a record the last counts, as for Kafka's Headers.lastHeader, by
// which OpenTelemetry's instrumentation reads them.
type records struct {
	want   *HeaderReader
	budget *Budget
	to     RecordHandler
	err    error // why not all of the records were read
	plain  bool  // what is looked at counts as bytes of the budget
	watch  stopwatch

	state   recordState
	left    int // bytes of the records field that no unit has taken
	count   int // records that have not begun
	headers int // of this record that have not begun
	units   uint32
	found   RecordHeaders
	id      []byte // the storage of found.MessageID
}

type recordState uint8

const (
	recordHead recordState = iota
	recordValue
	recordHeaders
	recordHeaderKey
	recordMessageID
	recordContext
	recordOtherValue
)

// unitsPerLap is how often a walk looks at the clock: at 5 to 20 ns a unit,
// about once a microsecond.
const unitsPerLap = 64

// begin prepares for n bytes of records.
func (w *records) begin(r *HeaderReader, b *Budget, count int32, n int, to RecordHandler) {
	*w = records{want: r, budget: b, to: to, left: n, count: int(count), id: w.id[:0], watch: stopwatch{clock: r.Clock}}
	w.found.Record = -1
}

func (w *records) ended() bool { return w.err != nil || w.state == recordHead && w.count == 0 }

// run reads on and says whether all of the records have been passed over.
func (w *records) run(c *cursor) bool {
	c.hide(true)
	b, limit, end := c.b, c.limit, c.off+w.left
	c.b, c.limit = b[:min(len(b), end)], end
	for c.more() && !w.ended() {
		w.step(c)
	}
	w.left = end - c.mark - c.skip
	c.b, c.limit = b, limit
	w.watch.stop(w.budget)
	if !w.ended() {
		if w.left > 0 {
			return false
		}
		w.err = ErrMalformed // no further bytes will come, with which a unit could find out
	}
	c.pass(w.left)
	w.left = 0
	if !c.once {
		c.hide(false)
	}
	return true
}

// step reads one unit.
func (w *records) step(c *cursor) {
	if !w.affordable() {
		w.stop(c, ErrBudget)
		return
	}
	from := c.off
	pass := w.unit(c)
	if c.fail == short {
		return
	}
	if c.fail != fine || pass < 0 || pass > c.limit-c.off {
		w.stop(c, ErrMalformed)
		return
	}
	if w.plain {
		w.budget.Bytes -= c.off - from
	}
	c.unit()
	c.pass(pass)
}

// affordable says whether the budget allows for another unit.
func (w *records) affordable() bool {
	if w.state == recordHead && w.budget.Records <= 0 || w.plain && w.budget.Bytes <= 0 {
		return false
	}
	w.units++
	return w.units%unitsPerLap != 0 || w.watch.lap(w.budget)
}

// stop ends the walk at what is at hand; what was read before stands.
func (w *records) stop(c *cursor, err error) {
	w.err = err
	c.fail, c.off = fine, len(c.b)
	c.unit()
}

// giveUp ends the walk, because bytes were missed, and returns how many bytes
// of the records are left.
func (w *records) giveUp() int {
	n := w.left
	w.left, w.err = 0, ErrMalformed
	return n
}

// unit reads the unit that is due and returns how many bytes to pass over
// behind it. It changes the walk only where the unit is whole.
func (w *records) unit(c *cursor) (pass int) {
	switch w.state {
	case recordHead:
		c.varint() // length
		c.int8()   // attributes
		c.varlong()
		c.varint() // offset delta
		pass = max(c.varint(), 0)
		if c.fail == fine {
			w.state = recordValue
			w.count--
			w.budget.Records--
			w.found = RecordHeaders{Record: w.found.Record + 1}
		}
	case recordValue:
		pass = max(c.varint(), 0)
		if c.fail == fine {
			w.state = recordHeaders
		}
	case recordHeaders:
		n := c.varint()
		if n < 0 || n > MaxRecordHeaders {
			return -1
		}
		if c.fail == fine {
			w.headers = n
			w.nextHeader()
		}
	case recordHeaderKey:
		return w.headerKey(c)
	case recordMessageID:
		return w.messageID(c)
	case recordContext:
		return w.context(c)
	case recordOtherValue:
		pass = max(c.varint(), 0)
		if c.fail == fine {
			w.nextHeader()
		}
	}
	return pass
}

// nextHeader goes to the record's next header, or hands on what it had.
func (w *records) nextHeader() {
	if w.headers > 0 {
		w.headers--
		w.state = recordHeaderKey
		return
	}
	w.state = recordHead
	if w.found.MessageID != nil || w.found.Context != (TraceContext{}) {
		w.to.Record(&w.found)
	}
}

func (w *records) headerKey(c *cursor) (pass int) {
	n := c.varint()
	id, context := w.want.MessageID, w.want.Contexts
	if n != len(id) && (!context || n != len(traceparent)) || n == 0 {
		if c.fail == fine {
			w.state = recordOtherValue
		}
		return n
	}
	key := c.bytes(n)
	switch {
	case c.fail != fine:
	case context && string(key) == traceparent:
		w.state = recordContext
	case string(key) == id:
		w.state = recordMessageID
	default:
		w.state = recordOtherValue
	}
	return 0
}

func (w *records) messageID(c *cursor) (pass int) {
	n := c.varint()
	if n > MaxMessageIDBytes {
		w.found.MessageID = nil
		return w.pastValue(c, n)
	}
	v := c.bytes(max(n, 0))
	if c.fail == fine {
		w.found.MessageID = nil
		if n >= 0 {
			if w.id == nil { // an empty id is one, too
				w.id = make([]byte, 0, MaxMessageIDBytes)
			}
			w.id = append(w.id[:0], v...)
			w.found.MessageID = w.id
		}
		w.nextHeader()
	}
	return 0
}

func (w *records) context(c *cursor) (pass int) {
	n := c.varint()
	if n > maxTraceparent {
		w.found.Context = TraceContext{}
		return w.pastValue(c, n)
	}
	v := c.bytes(max(n, 0))
	if c.fail == fine {
		w.found.Context, _ = ParseTraceparent(v)
		w.nextHeader()
	}
	return 0
}

// pastValue passes over the n bytes of a value that is too long to be one.
func (w *records) pastValue(c *cursor, n int) int {
	if c.fail == fine {
		w.nextHeader()
	}
	return n
}
