package otlp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"syscall"
)

// A segment is a file of records behind a header, which is written again when
// the segment is full, and each time that the collector has taken some of it:
//
//	magic · where its records end, 0 while it is written to · traces and spans in it ·
//	where what is done with ends · traces and spans up to there ·
//	requests in it · requests up to there · CRC32C
//
// eight bytes each, little-endian, the checksum four, and four of nothing.
const (
	segmentMagic  = "tailspq1"
	segmentHeader = 80
)

var (
	errNotOurs = errors.New("no segment of a trace queue, or one of a newer version")
	errEmpty   = errors.New("no record was ever written")
)

type segment struct {
	path string
	file *os.File // nil: closed
	size int64    // of the file, without what a failed write left behind

	end    int64 // of the records; 0: it is written to
	all    Count
	doneTo int64
	done   Count // delivered, refused or lost
}

func createSegment(path string) (*segment, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s := &segment{path: path, file: f, size: segmentHeader, doneTo: segmentHeader}
	if err := s.writeHeader(); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return s, nil
}

// openSegment returns one as it was left. errTorn: its header is lost.
func openSegment(path string) (*segment, error) {
	s := &segment{path: path}
	if err := s.open(); err != nil {
		return nil, err
	}
	st, err := s.file.Stat()
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.size = st.Size()
	h := make([]byte, segmentHeader)
	if _, err = s.file.ReadAt(h, 0); err == nil || errors.Is(err, io.EOF) {
		err = s.parseHeader(h)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *segment) open() (err error) {
	s.file, err = os.OpenFile(s.path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	return err
}

func (s *segment) close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

func (s *segment) left() Count { return s.all.minus(s.done) }

func (s *segment) writeHeader() error {
	h := make([]byte, segmentHeader)
	copy(h, segmentMagic)
	for i, v := range [...]uint64{uint64(s.end), s.all.Traces, s.all.Spans, uint64(s.doneTo), s.done.Traces, s.done.Spans, s.all.Requests, s.done.Requests} {
		binary.LittleEndian.PutUint64(h[8+8*i:], v)
	}
	binary.LittleEndian.PutUint32(h[72:], crc32.Checksum(h[:72], castagnoli))
	_, err := s.file.WriteAt(h, 0)
	return err
}

// parseHeader: one that makes no sense is as that of a segment that was still
// written to, whose records say what is in it.
func (s *segment) parseHeader(h []byte) error {
	switch {
	case s.size <= segmentHeader:
		return errEmpty
	case bytes.Equal(h, make([]byte, segmentHeader)):
		return errTorn
	}
	if string(h[:8]) != segmentMagic {
		return errNotOurs
	}
	var v [8]uint64
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(h[8+8*i:])
	}
	s.end, s.doneTo = 0, segmentHeader
	if crc32.Checksum(h[:72], castagnoli) != binary.LittleEndian.Uint32(h[72:]) || v[0] == 0 ||
		v[0] > math.MaxInt64 || v[3] < segmentHeader || v[3] > v[0] || v[4] > v[1] || v[5] > v[2] || v[7] > v[6] {
		return nil
	}
	s.end, s.doneTo = int64(v[0]), int64(v[3])
	s.all, s.done = Count{v[1], v[2], v[6]}, Count{v[4], v[5], v[7]}
	return nil
}

// records are those that are not done with.
func (s *segment) records(r *recordReader) {
	n := s.end - s.doneTo
	r.reset(io.NewSectionReader(s.file, s.doneTo, n), n)
}

// count counts the records of a segment that nobody finished, as the end of
// its process left it, and ends it behind the last whole one. What lies beyond
// is torn: one trace, whose spans are known if its header is there.
func (s *segment) count() (torn Count, err error) {
	s.end = s.size
	var r recordReader
	s.records(&r)
	for s.end = segmentHeader; ; {
		_, one, size, err := r.next()
		switch {
		case err == nil, errors.Is(err, errPayload):
			s.end += size
			s.all = s.all.plus(one)
			continue
		case errors.Is(err, io.EOF):
			return torn, nil
		case errors.Is(err, errTorn), errors.Is(err, errDamaged):
			one.Traces = 1
			return one, nil
		}
		return torn, err
	}
}
