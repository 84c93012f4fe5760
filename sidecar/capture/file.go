package capture

import (
	"errors"
	"io"
)

// ErrTruncated ends a file whose last block is not whole; everything before
// it has been delivered.
var ErrTruncated = errors.New("capture file ends within a block")

// ErrFormat is wrapped by errors about files that are no pcap or pcapng, or
// broken ones.
var ErrFormat = errors.New("not a readable pcap or pcapng file")

// Block is one packet block of a file, of any link type. Data is borrowed
// until the next call of Next.
type Block struct {
	Interface int // in the order of the file's descriptions; 0 in a pcap
	Packet
}

// File reads a pcap or pcapng file, one block after the other.
type File struct{}

// OpenFile opens a pcap or pcapng file; Close it.
func OpenFile(path string) (*File, error) { return nil, nil }

// NewFile reads the same from a stream.
func NewFile(r io.Reader) (*File, error) { return nil, nil }

// Next returns the next packet block, io.EOF after the last one.
func (f *File) Next() (Block, error) { return Block{}, io.EOF }

// Close closes what OpenFile opened.
func (f *File) Close() error { return nil }
