package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrTruncated ends a file whose last block is not whole; everything before
// it has been delivered.
var ErrTruncated = errors.New("capture file ends within a block")

// ErrFormat is wrapped by errors about files that are no pcap or pcapng, or
// broken ones.
var ErrFormat = errors.New("not a readable pcap or pcapng file")

const (
	// maxBlock bounds one block of a file: more than the largest packet, and
	// than the facts of a recording.
	maxBlock = 16 << 20
	// maxInterfaces bounds the interfaces of one section.
	maxInterfaces = 1 << 12
	readAhead     = 1 << 18
)

// Block is one packet block of a file, of any link type. Data is borrowed
// until the next call of Next, and may be written to.
type Block struct {
	Interface int // in the order of the section's descriptions; 0 in a pcap
	Packet
}

// File reads a pcap or pcapng file, one block after the other. Packets are
// handed out of the read buffer: nothing is copied and nothing is allocated by
// a length that the file declares. (pcapgo would do both, and cuts link types
// to eight bits, which loses SLL2; it is the oracle of the tests.)
type File struct {
	r      *bufio.Reader
	large  []byte // a block that the read buffer cannot hold
	used   int    // bytes of the read buffer to be dropped by the next read
	next   func(*File) (Block, error)
	order  binary.ByteOrder
	link   LinkType // pcap
	factor int64    // pcap: ns per unit of the stamps' fraction
	ifs    []fileInterface
	closer io.Closer
	failed error
}

// OpenFile opens a pcap or pcapng file; Close it.
func OpenFile(path string) (*File, error) {
	return OpenThrough(path, func(r io.Reader) io.Reader { return r })
}

// OpenThrough reads it through something that watches how far that has come.
func OpenThrough(path string, watch func(io.Reader) io.Reader) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := NewFile(watch(file))
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	f.closer = file
	return f, nil
}

// NewFile reads the same from a stream.
func NewFile(r io.Reader) (*File, error) {
	f := &File{r: bufio.NewReaderSize(r, readAhead)}
	magic, err := f.r.Peek(4)
	if err != nil {
		return nil, fmt.Errorf("%w: too short", ErrFormat)
	}
	if binary.LittleEndian.Uint32(magic) == blockSection {
		f.next = (*File).nextNG
		return f, nil
	}
	f.next = (*File).nextPcap
	return f, f.readPcapHeader()
}

// Next returns the next packet block, io.EOF after the last one. After an
// error it returns the same again.
func (f *File) Next() (Block, error) {
	if f.failed != nil {
		return Block{}, f.failed
	}
	b, err := f.next(f)
	if err != nil {
		f.failed = err
		return Block{}, err
	}
	return b, nil
}

// Close closes what OpenFile opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// peek borrows the next n bytes, io.EOF where there is none.
func (f *File) peek(n int) ([]byte, error) {
	if f.used > 0 {
		f.r.Discard(f.used)
		f.used = 0
	}
	b, err := f.r.Peek(n)
	if len(b) == n {
		return b, nil
	}
	if err == io.EOF && len(b) > 0 {
		return nil, ErrTruncated
	}
	return nil, err
}

// take borrows the next n bytes until the next read.
func (f *File) take(n int) ([]byte, error) {
	if n <= readAhead {
		b, err := f.peek(n)
		f.used = len(b)
		return b, err
	}
	if _, err := f.peek(1); err != nil {
		return nil, err
	}
	if cap(f.large) < n {
		f.large = make([]byte, n) // n is at most maxBlock
	}
	if _, err := io.ReadFull(f.r, f.large[:n]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrTruncated
		}
		return nil, err
	}
	return f.large[:n], nil
}
