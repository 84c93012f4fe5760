package segment

import (
	"errors"
	"io/fs"
)

// maxWritten bounds the bytes of a batch that is read for its checksum:
// brokers accept 1 MiB and 12 bytes by default (message.max.bytes).
const maxWritten = 2 << 20

// ErrLarge says that a batch is larger than what is read of one.
var ErrLarge = errors.New("the batch is too large to be read")

// Written finds a batch at the place of a file (topic-partition/segment.log,
// position in bytes) where it was written, in whichever log dir has it: the
// batch with that base offset, length and CRC, whole by its checksum, or an
// error. Segments are deleted, truncated and made anew under the same name, so
// a file that was kept open and holds something else is opened once more.
func (l *Logs) Written(file string, position int64, w Header) (*File, Batch, error) {
	if _, ok := partitionOf(file); !ok {
		return nil, Batch{}, ErrNotFound
	}
	if w.Bytes > maxWritten {
		return nil, Batch{}, ErrLarge
	}
	worst := error(fs.ErrNotExist)
	for _, d := range l.Dirs {
		f, b, err := l.writtenIn(d, file, position, &w)
		if err == nil {
			return f, b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			worst = err
		}
	}
	return nil, Batch{}, worst
}

func (l *Logs) writtenIn(d *Dir, file string, position int64, w *Header) (*File, Batch, error) {
	for {
		kept := l.files[place{d, file}]
		f, err := l.Segment(d, file)
		if err != nil {
			return nil, Batch{}, err
		}
		b, err := f.written(position, w)
		if err == nil || kept == nil {
			return f, b, err
		}
		l.close(kept)
	}
}

func (f *File) written(position int64, w *Header) (Batch, error) {
	b, err := f.Batch(position)
	if err != nil {
		return Batch{}, err
	}
	if !w.is(&b) {
		return Batch{}, f.at(position, ErrNotFound)
	}
	return b, f.Check(b)
}
