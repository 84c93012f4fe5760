package kafka

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The codecs of a batch's attributes (Kafka's CompressionType).
const (
	codecMask int16 = 7

	codecNone int16 = iota - 1
	codecGzip
	codecSnappy
	codecLZ4
	codecZstd
)

// decompressor gives the bytes of one compressed batch after another, in
// chunks, from storage that is used again.
type decompressor struct {
	in     bytes.Reader
	stream io.Reader     // gzip, zstd
	chunk  []byte        // what they are read into
	gzip   *gzip.Reader  // nil until needed
	zstd   *zstd.Decoder // nil until needed
	blocks blocks
	framed func(*decompressor, int) ([]byte, error) // snappy, lz4
}

// open begins with another batch.
func (d *decompressor) open(codec int16, b []byte) error {
	d.framed, d.stream = nil, nil
	switch codec {
	case codecGzip:
		return d.openGzip(b)
	case codecSnappy:
		d.blocks.beginSnappy(b)
		d.framed = (*decompressor).nextSnappy
	case codecLZ4:
		d.framed = (*decompressor).nextLZ4
		return d.blocks.beginLZ4(b)
	case codecZstd:
		return d.openZstd(b)
	default:
		return ErrMalformed
	}
	return nil
}

func (d *decompressor) nextSnappy(most int) ([]byte, error) { return d.blocks.nextSnappy(most) }
func (d *decompressor) nextLZ4(most int) ([]byte, error)    { return d.blocks.nextLZ4(most) }

// next is the next chunk, at most most bytes, borrowed until the next call.
// The error may come with the last one.
func (d *decompressor) next(most int) ([]byte, error) {
	if d.framed != nil {
		return d.framed(d, most)
	}
	n, err := d.stream.Read(d.chunk[:min(len(d.chunk), most)])
	if n == 0 && err == nil {
		err = io.ErrNoProgress
	}
	return d.chunk[:n], verdict(err)
}

// close lets go of the batch.
func (d *decompressor) close() {
	d.in.Reset(nil)
	d.blocks.rest = nil
}

func (d *decompressor) openGzip(b []byte) error {
	d.source(b)
	if d.gzip == nil {
		d.gzip = new(gzip.Reader)
	}
	d.stream = d.gzip
	return verdict(d.gzip.Reset(&d.in))
}

func (d *decompressor) openZstd(b []byte) (err error) {
	d.source(b)
	if d.zstd == nil {
		d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.IgnoreChecksum(true))
		if err != nil {
			return err
		}
	}
	d.stream = d.zstd
	return verdict(d.zstd.Reset(&d.in))
}

func (d *decompressor) source(b []byte) {
	if d.chunk == nil {
		d.chunk = make([]byte, chunkSize)
	}
	d.in.Reset(b)
}

// verdict makes a library's error one of ours: their texts may quote.
func verdict(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return ErrBudget
	}
	return ErrMalformed
}
