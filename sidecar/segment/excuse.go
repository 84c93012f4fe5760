package segment

import (
	"errors"
	"io"
)

// excuse is why the place rightly holds something else than was written; "":
// there is no reason. Where the batch's own header stands, there is none.
func (l *Logs) excuse(d *Dir, f *File, c *Claim, partition string, found *Batch) string {
	if found != nil && c.Written.is(found) {
		return ""
	}
	p, err := d.partition(partition)
	switch {
	case err != nil:
		return ReasonDeleted // between the two looks
	case c.recreated(p):
		return ReasonRecreated
	case d.compacted(p, partition, c.Written.BaseOffset):
		return ReasonCompacted
	case found == nil && f.ends(c.Offset, int64(c.Written.Bytes)) && l.endsBy(d, p, partition, c.Written.BaseOffset),
		l.overwritten(d, p, partition, &c.Written):
		return ReasonTruncated
	}
	return ""
}

// recreated says that the partition belongs to another topic of that name.
func (c *Claim) recreated(p *partition) bool {
	return c.TopicID != [16]byte{} && p.id != [16]byte{} && c.TopicID != p.id
}

// missing is why the write's segment is gone.
func (l *Logs) missing(d *Dir, c *Claim, partition string) string {
	offset := c.Written.BaseOffset
	p, err := d.partition(partition)
	switch {
	case errors.Is(err, ErrNoPartition) && d.marked(partition):
		return ReasonTopicDeleted
	case errors.Is(err, ErrNoPartition):
		return ReasonElsewhere
	case err != nil:
		return ReasonUnreadable
	case c.recreated(p):
		return ReasonRecreated
	case len(p.segments) == 0 || offset < p.segments[0]:
		return ReasonDeleted
	case d.compacted(p, partition, offset):
		return ReasonCompacted
	case l.endsBy(d, p, partition, offset):
		return ReasonTruncated
	}
	// Where it is in another segment, the log has been built anew: the replica
	// was moved or fetched again.
	if _, b, err := l.Find(d, partition, offset); err == nil && b.BaseOffset == offset {
		return ReasonMoved
	}
	return ReasonDeleted
}

// ends says that nothing is written at a place, and behind it: the file ends
// before, or zeros stand there, or half of a batch that a crash left.
func (f *File) ends(position, length int64) bool {
	size, err := f.size()
	if err != nil || position+length > size {
		return err == nil
	}
	var buf [4096]byte
	for at := position; at < position+length+int64(len(buf)); {
		n, err := f.r.ReadAt(buf[:], at)
		if !zero(buf[:n]) {
			return false
		}
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		at += int64(n)
	}
	return true
}

// endsBy says that a log ends at or before an offset.
func (l *Logs) endsBy(d *Dir, p *partition, partition string, offset int64) bool {
	_, last, err := l.last(d, p, partition)
	return err == nil && last.LastOffset < offset || errors.Is(err, ErrNotFound)
}

// overwritten says that a later leader wrote what is there of the offset, or
// the last that there is before it: the log was truncated in between.
func (l *Logs) overwritten(d *Dir, p *partition, partition string, w *Header) bool {
	f, b, err := l.last(d, p, partition)
	if err == nil && b.LastOffset >= w.BaseOffset {
		if f, err = l.holding(d, partition, w.BaseOffset); err == nil {
			b, err = f.Find(w.BaseOffset)
		}
	}
	return err == nil && b.LeaderEpoch > w.LeaderEpoch && !w.is(&b) && f.Check(b) == nil
}
