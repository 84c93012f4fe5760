package segment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Why a log has no batch with an offset.
var (
	// ErrBefore: the log begins behind it.
	ErrBefore = errors.New("the log begins after this offset")
	// ErrBeyond: it has not been written, or not in this log dir.
	ErrBeyond = errors.New("the log ends before this offset")
	// ErrCompacted: the cleaner left nothing of the batch.
	ErrCompacted = errors.New("the batch was compacted away")
	// ErrUnfinished: the bound or the context ended the search.
	ErrUnfinished = errors.New("the search for the batch was given up")
)

// Located is the batch that holds an offset of a partition, and what is known
// of the log meanwhile, also where there is no such batch.
type Located struct {
	Batch
	Path    string
	TopicID [16]byte // zero: a broker before 2.8 wrote none
	// Made is when the partition's directory got its topic id, which is when the
	// replica was made; zero: not known. What was written before was another's.
	Made time.Time
	// Start is the first offset that is not deleted, as far as is known, and End
	// the one behind the last, of ErrBeyond only.
	Start, End int64
}

// maxWalked bounds the headers that Locate reads: an index has an entry every
// 4 KiB (index.interval.bytes), but may be missing, and a segment of 1 GiB may
// have millions of batches.
const maxWalked = 1 << 20

// Locate finds the batch that holds an offset of a partition. It reads the
// headers of at most maxWalked batches, as long as the context lets it. Where
// there is none, the error wraps ErrNoPartition, ErrBefore, ErrBeyond,
// ErrCompacted, ErrNotFound, ErrUnfinished or a MagicError, or is that of the
// reading. The log may roll meanwhile: a segment that vanishes is looked for
// once more.
func (l *Logs) Locate(ctx context.Context, d *Dir, topic string, partition int32, offset int64) (Located, error) {
	name := fmt.Sprintf("%s-%d", topic, partition)
	at, err := l.locate(ctx, d, name, offset)
	if errors.Is(err, fs.ErrNotExist) {
		delete(d.partitions, name)
		at, err = l.locate(ctx, d, name, offset)
	}
	return at, err
}

func (l *Logs) locate(ctx context.Context, d *Dir, name string, offset int64) (at Located, err error) {
	p, err := d.partition(name)
	if err != nil {
		return at, err
	}
	at.TopicID, at.Start = p.id, d.start(p, name)
	if info, err := os.Lstat(filepath.Join(d.Path, name, "partition.metadata")); err == nil {
		at.Made = info.ModTime()
	}
	base, ok := p.holding(offset)
	switch {
	case ok:
	case len(p.segments) == 0: // it is just being made
		at.End = at.Start
		return at, ErrBeyond
	default:
		return at, ErrBefore
	}
	f, err := l.Segment(d, segmentName(name, base))
	if err != nil {
		return at, err
	}
	at.Path = f.path
	found, end, err := f.walk(ctx, offset, maxWalked)
	switch {
	case err == nil:
		at.Batch = found
		return at, nil
	case !errors.Is(err, ErrNotFound):
		return at, err
	case offset < at.Start:
		return at, ErrBefore
	case offset >= end && base == p.segments[len(p.segments)-1]:
		at.End = max(end, base)
		return at, ErrBeyond
	case d.compacted(p, name, offset):
		return at, ErrCompacted
	}
	return at, err
}

// walk finds the batch that holds an offset as Find does, within bounds. end is
// the offset behind the last batch that was passed. Half a batch at the end is
// one that is being written.
func (f *File) walk(ctx context.Context, offset int64, most int) (found Batch, end int64, err error) {
	const lap = 256
	from := f.indexed(offset)
	if b, err := f.Batch(from); err != nil || b.BaseOffset > offset {
		from = 0
	}
	var old error // the entries passed last are of an older format
	for n := range most {
		if n%lap == 0 && ctx.Err() != nil {
			return Batch{}, end, fmt.Errorf("%w: %w", ErrUnfinished, context.Cause(ctx))
		}
		b, err := f.Batch(from)
		size := legacySize(err)
		switch {
		case size > 0:
			old, from = err, from+size
			continue
		case errors.Is(err, ErrEnd), errors.Is(err, ErrCut):
			return Batch{}, end, f.none(from, old)
		case err != nil:
			return Batch{}, end, err
		case b.BaseOffset > offset:
			return Batch{}, b.LastOffset + 1, f.none(from, old)
		case b.LastOffset >= offset:
			return b, b.LastOffset + 1, nil
		}
		old, from, end = nil, b.End(), b.LastOffset+1
	}
	return Batch{}, end, fmt.Errorf("%w: after the headers of %d batches", ErrUnfinished, most)
}

// none is why no batch was found: behind entries of an older format, it may be
// among them.
func (f *File) none(at int64, old error) error {
	if old != nil {
		return old
	}
	return f.at(at, ErrNotFound)
}
