package segment

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"
)

// File is one segment, opened for reading. It belongs to one goroutine.
type File struct {
	// Unsupported counts the entries of older formats that were passed over.
	Unsupported uint64

	path string
	r    io.ReaderAt
	size func() (int64, error)
	seen int64 // the size, when it was last asked for
	end  io.Closer
	head [headerSize]byte
	*scratch
}

// scratch is storage that the files of one Logs share.
type scratch struct {
	buf     []byte // of the checksum
	records []byte // of Headers
}

// Open opens a segment file. A link or a pipe in its place is refused.
func Open(path string) (*File, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	return &File{path: path, r: f, end: f, scratch: new(scratch), size: func() (int64, error) {
		info, err := f.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}}, nil
}

// openRegular: whoever owns the log dir could have put a link or a pipe there.
// Reading leaves no trace where that is permitted (open(2), O_NOATIME): a new
// access time goes through the journal, which may be the one that is stalled.
func openRegular(path string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	f, err := os.OpenFile(path, flags|syscall.O_NOATIME, 0)
	if errors.Is(err, syscall.EPERM) {
		f, err = os.OpenFile(path, flags, 0)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.end.Close() }

// Batch reads the header of the batch at a position. The error wraps ErrEnd,
// ErrCut, ErrNotBatch or a MagicError, or is that of the reading.
func (f *File) Batch(position int64) (Batch, error) {
	if position < 0 {
		return Batch{}, f.at(position, ErrNotBatch)
	}
	n, err := f.r.ReadAt(f.head[:], position)
	if err != nil && err != io.EOF {
		return Batch{}, f.at(position, err)
	}
	b, err := parse(f.head[:n], position)
	if err == nil {
		err = f.within(b.End())
	} else if size := legacySize(err); size > 0 {
		err = cmp.Or(f.within(position+size), err)
	}
	if err != nil {
		return Batch{}, f.at(position, err)
	}
	return b, nil
}

// legacySize is the size of an entry of an older format, of which the error
// says that it is one; else 0.
func legacySize(err error) int64 {
	var old *MagicError
	if errors.As(err, &old) {
		return old.Size
	}
	return 0
}

// within says ErrCut of an end that lies behind the file's. The size is asked
// for where the file must have grown; one that shrank is found out by reading.
func (f *File) within(end int64) (err error) {
	if end <= f.seen {
		return nil
	}
	if f.seen, err = f.size(); err == nil && end > f.seen {
		return ErrCut
	}
	return err
}

func (f *File) at(position int64, err error) error {
	return fmt.Errorf("read segment %s at %d: %w", f.path, position, err)
}

// Each hands over the batches that begin in [from, to), until one of them is
// none (ErrEnd is no error) or visit says no. Entries of older formats are
// counted in Unsupported.
func (f *File) Each(from, to int64, visit func(Batch) bool) error {
	for from < to {
		b, err := f.Batch(from)
		if err == nil {
			if from = b.End(); !visit(b) {
				return nil
			}
			continue
		}
		size := legacySize(err)
		switch {
		case size > 0:
			f.Unsupported++
			from += size
		case errors.Is(err, ErrEnd):
			return nil
		default:
			return err
		}
	}
	return nil
}

// checkBuffer is what a checksum reads at once.
const checkBuffer = 64 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Check reads a whole batch and compares its CRC32C, which covers everything
// from the attributes on: ErrChecksum where it differs.
func (f *File) Check(b Batch) error {
	if f.buf == nil {
		f.buf = make([]byte, checkBuffer)
	}
	crc := uint32(0)
	for at := b.Position + crcFrom; at < b.End(); {
		piece := f.buf[:min(checkBuffer, b.End()-at)]
		if n, err := f.r.ReadAt(piece, at); n < len(piece) {
			if err == io.EOF {
				err = ErrCut
			}
			return f.at(b.Position, err)
		}
		crc = crc32.Update(crc, castagnoli, piece)
		at += int64(len(piece))
	}
	if crc != b.CRC {
		return f.at(b.Position, fmt.Errorf("%w: %08x instead of %08x", ErrChecksum, crc, b.CRC))
	}
	return nil
}
