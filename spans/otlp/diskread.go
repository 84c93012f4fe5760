package otlp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"time"
)

// next reads the oldest traces that are not done with, as many as make a
// batch. None: nothing is left, or it cannot be read now.
func (d *disk) next() []record {
	d.mu.Lock()
	defer d.mu.Unlock()
	for time.Now().After(d.later) {
		if len(d.sealed) == 0 {
			if d.open == nil || d.open.all == (Count{}) {
				return nil
			}
			d.seal()
		}
		s := d.sealed[0]
		if err := d.start(s); err != nil {
			d.later = time.Now().Add(diskRetry)
			return nil
		}
		if b := d.read(); len(b) > 0 {
			return b
		}
		d.finish(s)
	}
	return nil
}

// start makes a segment the one that is read. An error will pass: too many
// open files, say.
func (d *disk) start(s *segment) error {
	if d.from == s {
		return nil
	}
	err := s.open()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return d.failed("read queue directory", err)
	}
	d.from, d.to, d.upTo, d.why = s, s.doneTo, s.done, corrupt
	if err != nil {
		d.broken(err)
		return nil
	}
	s.records(&d.reader)
	return nil
}

// read reads some of the segment that is read.
func (d *disk) read() []record {
	var b []record
	for n := 0; n < batchSpans; {
		r, err := d.record()
		if err != nil {
			d.broken(err)
			break
		}
		if r.request != nil {
			b, n = append(b, r), n+int(r.count.Spans)
		}
	}
	return b
}

// record reads the next one; without a request where it is lost.
func (d *disk) record() (r record, err error) {
	payload, one, size, err := d.reader.next()
	if err != nil && !errors.Is(err, errPayload) {
		return record{}, err
	}
	if all := d.from.all; d.upTo.Traces+1 > all.Traces || d.upTo.Spans+one.Spans > all.Spans || d.upTo.Requests+one.Requests > all.Requests {
		return record{}, errDamaged // not what the header says
	}
	d.to, d.upTo = d.to+size, d.upTo.plus(one)
	if err != nil || !isRequest(payload) {
		return record{}, nil
	}
	return record{request: bytes.Clone(payload), count: one, to: d.to, upTo: d.upTo}, nil
}

// broken ends the reading of a segment. What was not read is lost: that is
// counted when everything before it is done with, for until then the next
// process may have to find it, and count it, again.
func (d *disk) broken(err error) {
	d.reader.left = 0
	if !errors.Is(err, io.EOF) && !errors.Is(err, errTorn) && !errors.Is(err, errDamaged) {
		d.why = unreadable
		d.failed("read queue directory", err)
	}
}

// done notes that some records, the next of their segment, are delivered or
// refused. Where that cannot be written, the next process sends them again.
func (d *disk) done(b batch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, last := d.from, b.stored[len(b.stored)-1]
	d.queue.lost(last.upTo.minus(s.done).minus(b.count()), corrupt) // between them
	s.doneTo, s.done = last.to, last.upTo
	if err := s.writeHeader(); err != nil {
		d.failed("write to queue directory", err)
	}
	if s.done == s.all {
		d.finish(s)
	}
}

// finish removes a segment; what of it is not done with is lost.
func (d *disk) finish(s *segment) {
	d.queue.lost(s.left(), d.why)
	if d.from == s {
		d.from = nil
		s.close()
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.failed("remove a file of queue directory", err)
	}
	d.sealed = slices.DeleteFunc(d.sealed, func(x *segment) bool { return x == s })
	d.grow(-s.size)
}
