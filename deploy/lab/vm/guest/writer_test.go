package guest

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/clients/wire"
	"github.com/tailspan/tailspan/sidecar/event"
)

const (
	topic   = "orders"
	segment = "00000000000000000000.log"
)

// call is when a system call was made, as its thread measured it.
type call struct{ before, after event.Time }

func (c call) took() event.Time { return c.after - c.before }

// written is one write.
type written struct {
	call
	offset int64 // in the file
	bytes  int
	base   int64 // offset, in Kafka's sense
	crc    uint32
	fsync  *call // that followed it; nil: none
}

// handler writes as a request handler of Kafka does: from one thread, one
// batch a write(2), then eight bytes to an eventfd, which wakes the network
// thread that hands over the response.
type handler struct {
	tid   int32
	tids  chan int32    // says its tid
	begin chan struct{} // and waits for this
	file  *os.File
	wake  int
	all   []written
	ended error
}

func newHandler(t *testing.T, dir string) *handler {
	t.Helper()
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(wake) })
	return &handler{tids: make(chan int32, 1), begin: make(chan struct{}), file: create(t, filepath.Join(dir, topic+"-0"), segment), wake: wake}
}

func create(t *testing.T, dir, name string) *os.File {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

const (
	valueBytes = 2000
	perBatch   = 2 // records
	pause      = 2 * time.Millisecond
	syncEach   = 40 // writes: as at the roll of a segment
)

// write goes on until told to stop, on a thread that ends with it.
func (h *handler) write(stop <-chan struct{}) {
	runtime.LockOSThread() // never unlocked
	h.tid = int32(unix.Gettid())
	h.tids <- h.tid
	<-h.begin
	for h.ended == nil {
		select {
		case <-stop:
			return
		case <-time.After(pause):
			h.ended = h.one()
		}
	}
}

func (h *handler) one() error {
	n := len(h.all)
	w := written{base: int64(n * perBatch)}
	if n > 0 {
		w.offset = h.all[n-1].offset + int64(h.all[n-1].bytes)
	}
	value := make([]byte, valueBytes)
	binary.BigEndian.PutUint64(value, uint64(n)) // so that no two batches have one CRC
	batch := wire.Batch{ProducerID: wire.Plain, ProducerEpoch: wire.Plain, Sequence: wire.Plain,
		Records: []kmsg.Record{{Value: value}, {Value: value}}}
	b, crc, err := batch.Encode()
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint64(b, uint64(w.base))
	w.crc, w.bytes = crc, len(b)
	w.before = now()
	got, err := unix.Write(int(h.file.Fd()), b)
	w.after = now()
	if err != nil || got != len(b) {
		return errors.Join(errors.New("short write"), err)
	}
	if n%syncEach == syncEach-1 {
		w.fsync = &call{before: now()}
		err = unix.Fsync(int(h.file.Fd()))
		w.fsync.after = now()
	}
	h.all = append(h.all, w)
	if err != nil {
		return err
	}
	_, err = unix.Write(h.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	return err
}

// neighbour forces commits: it writes a little to a file of its own, and waits
// until that is on the disk.
type neighbour struct {
	tid    int32
	file   *os.File
	fsyncs []call
	ended  error
}

func (n *neighbour) write(stop <-chan struct{}) {
	runtime.LockOSThread() // never unlocked
	n.tid = int32(unix.Gettid())
	for n.ended == nil {
		select {
		case <-stop:
			return
		default:
		}
		_, err := n.file.Write(make([]byte, 4096))
		c := call{before: now()}
		n.ended = errors.Join(err, unix.Fsync(int(n.file.Fd())))
		c.after = now()
		n.fsyncs = append(n.fsyncs, c)
	}
}

func now() event.Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // there is such a clock
	}
	return event.Time(ts.Nano())
}
