package segment

import (
	"encoding/binary"
	"errors"
	"math"
	"sort"
	"strings"
)

// Find reads the header of the batch that holds an offset: ErrNotFound where
// there is none, as the compaction leaves gaps. The index beside the file
// shortens the way; one that is missing, stale or wrong only lengthens it.
func (f *File) Find(offset int64) (Batch, error) {
	from := f.indexed(offset)
	if b, err := f.Batch(from); err != nil || b.BaseOffset > offset {
		from = 0
	}
	return f.scan(from, offset)
}

func (f *File) scan(from, offset int64) (found Batch, err error) {
	ok := false
	err = f.Each(from, math.MaxInt64, func(b Batch) bool {
		if b.LastOffset < offset {
			return true
		}
		if b.BaseOffset <= offset {
			found, ok = b, true
		}
		return false
	})
	if err == nil && !ok {
		err = f.at(from, ErrNotFound)
	}
	return found, err
}

// Last reads the header of the last whole batch: ErrNotFound in a file
// without any.
func (f *File) Last() (last Batch, err error) {
	from := f.indexed(math.MaxInt64)
	for {
		n := 0
		err = f.Each(from, math.MaxInt64, func(b Batch) bool { last = b; n++; return true })
		if err == nil || errors.Is(err, ErrCut) {
			if n > 0 {
				return last, nil
			}
			err = f.at(from, ErrNotFound)
		}
		if from == 0 {
			return Batch{}, err
		}
		from = 0 // the index is wrong
	}
}

// indexEntry is an entry of an offset index: the last offset of a batch,
// relative to the segment's base offset, and the batch's position.
const indexEntry = 8

// indexed is the position of a batch at or before the one with an offset, by
// the index; 0 where it does not help.
func (f *File) indexed(offset int64) int64 {
	base, ok := baseOf(f.path)
	if !ok {
		return 0
	}
	x, err := openRegular(strings.TrimSuffix(f.path, logSuffix) + indexSuffix)
	if err != nil {
		return 0
	}
	defer x.Close()
	info, err := x.Stat()
	if err != nil {
		return 0
	}
	var raw [indexEntry]byte
	// The index of the active segment is made at its full length: entries of
	// zeros are not yet written.
	entry := func(i int) (relative, position int64) {
		if _, err := x.ReadAt(raw[:], int64(i)*indexEntry); err != nil || raw == [indexEntry]byte{} {
			return math.MaxInt64, 0
		}
		return int64(binary.BigEndian.Uint32(raw[:])), int64(binary.BigEndian.Uint32(raw[4:]))
	}
	n := int(min(info.Size()/indexEntry, math.MaxInt32))
	i := sort.Search(n, func(i int) bool {
		relative, _ := entry(i)
		return relative == math.MaxInt64 || relative > offset-base
	})
	if i == 0 {
		return 0
	}
	_, position := entry(i - 1)
	return position
}
