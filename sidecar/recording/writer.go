package recording

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

// Interfaces, in the order in which they are described.
const (
	Packets = iota
	Probes
	Facts
)

// Link types of the interfaces.
const (
	linkRaw   = 101
	linkUser0 = 147
	linkUser1 = 148
)

// Block types and options of pcapng.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6
	byteOrderMagic = 0x1a2b3c4d
	optionName     = 2
	optionTsResol  = 9
	nanoseconds    = 9
)

// Writer writes a recording. Safe for concurrent use: blocks never mix. After
// an error nothing more is written and Err tells it; tracing goes on.
type Writer struct {
	mu    sync.Mutex
	out   *bufio.Writer
	file  io.Closer
	err   error
	lost  uint64
	bytes uint64
	head  [28]byte
}

// Create makes the file and writes its header.
func Create(path string, h Header) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create recording: %w", err)
	}
	w := NewWriter(f, h)
	w.file = f
	return w, nil
}

// NewWriter records to an open stream.
func NewWriter(out io.Writer, h Header) *Writer {
	w := &Writer{out: bufio.NewWriterSize(out, 1<<20)}
	section := binary.LittleEndian.AppendUint32(nil, byteOrderMagic)
	section = binary.LittleEndian.AppendUint16(section, 1)
	section = binary.LittleEndian.AppendUint16(section, 0)
	section = binary.LittleEndian.AppendUint64(section, ^uint64(0)) // length unknown
	w.block(blockSection, section)
	for i, name := range []string{"packets", "probes", "facts"} {
		w.block(blockInterface, describe([]uint16{linkRaw, linkUser0, linkUser1}[i], name))
	}
	h.Version = Version
	w.Fact(Fact{Header: &h})
	return w
}

func describe(link uint16, name string) []byte {
	b := binary.LittleEndian.AppendUint16(nil, link)
	b = append(b, 0, 0, 0, 0, 0, 0) // reserved, no snap length
	b = option(b, optionName, []byte(name))
	b = option(b, optionTsResol, []byte{nanoseconds})
	return append(b, 0, 0, 0, 0) // end of options
}

func option(b []byte, code uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	return append(b, make([]byte, pad(len(value)))...)
}

func pad(n int) int { return -n & 3 }

// Packet records a packet at its own stamp (Unix ns).
func (w *Writer) Packet(unix int64, data []byte, wireLength int) {
	w.record(Packets, unix, data, max(wireLength, len(data)))
}

// Probe records a raw probe record; stamp is only for who looks at the file.
func (w *Writer) Probe(stamp int64, raw []byte) { w.record(Probes, stamp, raw, len(raw)) }

// Fact records a fact.
func (w *Writer) Fact(f Fact) {
	b, err := json.Marshal(f)
	if err != nil {
		w.fail(err)
		return
	}
	w.record(Facts, 0, b, len(b))
}

func (w *Writer) record(iface uint32, unix int64, data []byte, wire int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		w.lost++
		return
	}
	n := uint32(32 + len(data) + pad(len(data)))
	b := w.head[:]
	binary.LittleEndian.PutUint32(b[0:], blockPacket)
	binary.LittleEndian.PutUint32(b[4:], n)
	binary.LittleEndian.PutUint32(b[8:], iface)
	binary.LittleEndian.PutUint32(b[12:], uint32(uint64(unix)>>32))
	binary.LittleEndian.PutUint32(b[16:], uint32(unix))
	binary.LittleEndian.PutUint32(b[20:], uint32(len(data)))
	binary.LittleEndian.PutUint32(b[24:], uint32(wire))
	w.put(b)
	w.put(data)
	w.put(zeros[:pad(len(data))])
	w.put(b[4:8])
}

var zeros [4]byte

func (w *Writer) block(kind uint32, body []byte) {
	n := uint32(12 + len(body))
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = binary.LittleEndian.AppendUint32(b, n)
	b = append(b, body...)
	w.put(binary.LittleEndian.AppendUint32(b, n))
}

func (w *Writer) put(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.out.Write(b)
	w.bytes += uint64(n)
	w.err = err
}

func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

// Flush writes out what is buffered.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}

// Stats are bytes written and blocks lost after an error.
func (w *Writer) Stats() (bytes, lost uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes, w.lost
}

// Close flushes and closes the file.
func (w *Writer) Close() error {
	err := w.Flush()
	if w.file != nil {
		if e := w.file.Close(); err == nil {
			err = e
		}
	}
	return err
}
