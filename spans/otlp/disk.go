package otlp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/spans"
)

const (
	// DefaultDirBytes bounds the directory where Options does not.
	DefaultDirBytes = 256 << 20

	segmentBytes  = 4 << 20 // a segment is full from here on
	segmentSuffix = ".traces"
	lockName      = "lock"

	// diskRetry is how long the directory is left alone when it fails.
	diskRetry = time.Second
)

var (
	// ErrDirInUse is returned by New if another process has the directory.
	ErrDirInUse = errors.New("queue directory is used by another process")

	errDirFull = errors.New("queue directory is full")
)

// disk is the part of the queue that is older than what is in memory: segment
// files, written at one end and read from the other. Its lock is held while
// the disk is waited for; the account is the queue's.
type disk struct {
	queue *queue
	dir   string
	limit int64
	full  int64 // size of a full segment
	lock  *os.File

	mu     sync.Mutex
	sealed []*segment // the oldest first; only these are read
	open   *segment   // that is written to; nil: none
	number uint64     // of the latest segment
	bytes  int64      // of all
	buf    []byte

	reader recordReader
	from   *segment            // that is read; nil: none
	to     int64               // where the reader is in it
	upTo   Count               // of the segment, what ends there
	why    func(*Stats) *Count // why what was not read of it is lost
	later  time.Time           // not to be read before
}

// openDisk takes a directory, and counts what is left in it.
func openDisk(dir string, limit int64, q *queue) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make queue directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock queue directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", dir, ErrDirInUse)
		}
		return nil, fmt.Errorf("lock queue directory: %w", err)
	}
	d := &disk{queue: q, dir: dir, limit: limit, full: min(segmentBytes, limit/4), lock: lock}
	if err := d.restore(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("read queue directory: %w", err)
	}
	return d, nil
}

// store writes the first traces of a batch, as many as there is room for, and
// returns how many these are. What it does not write is still in memory.
func (d *disk) store(b []*spans.Trace, e *encoder) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.writable()
	if err != nil {
		return 0, err
	}
	n, stored, reject, err := d.encode(b, e)
	if len(d.buf) > 0 {
		if werr := d.write(s, stored); werr != nil {
			return 0, werr
		}
	}
	d.queue.spilled(stored, reject)
	if cap(d.buf) > segmentBytes {
		d.buf = nil
	}
	return n, err
}

// encode fills the buffer with the first n traces; reject of them can be
// neither stored nor sent.
func (d *disk) encode(b []*spans.Trace, e *encoder) (n int, stored, reject Count, err error) {
	d.buf = d.buf[:0]
	for i := range b {
		longer, err := appendRecord(d.buf, e, b[i:i+1])
		switch {
		case err != nil:
			reject = reject.plus(countOf(b[i]))
			continue
		case d.bytes+int64(len(longer)) > d.limit:
			return i, stored, reject, errDirFull
		}
		d.buf = longer
		stored = stored.plus(countOf(b[i]))
	}
	return len(b), stored, reject, nil
}

// write appends the buffer to a segment, whole or not at all.
func (d *disk) write(s *segment, n Count) error {
	if _, err := s.file.WriteAt(d.buf, s.size); err != nil {
		if terr := s.file.Truncate(s.size); terr != nil {
			d.seal() // whose header leaves out what is behind its end
		}
		return d.failed("write to queue directory", err)
	}
	s.size += int64(len(d.buf))
	s.all = s.all.plus(n)
	d.grow(int64(len(d.buf)))
	if s.size >= d.full {
		d.seal()
	}
	return nil
}

// writable is the segment to write to.
func (d *disk) writable() (*segment, error) {
	if d.open != nil {
		return d.open, nil
	}
	if d.bytes+segmentHeader >= d.limit {
		return nil, errDirFull
	}
	s, err := createSegment(d.path(d.number + 1))
	if err != nil {
		return nil, d.failed("make a file in queue directory", err)
	}
	d.number++
	d.open = s
	d.grow(s.size)
	return s, nil
}

// seal ends the open segment, so that it can be read.
func (d *disk) seal() {
	s := d.open
	d.open, s.end = nil, s.size
	if err := errors.Join(s.writeHeader(), s.close()); err != nil {
		d.failed("end a file of queue directory", err) // the next process counts it again
	}
	d.sealed = append(d.sealed, s)
}

func (d *disk) grow(n int64) {
	d.bytes += n
	d.queue.account(func(s *Stats) { s.Disk.Bytes = d.bytes })
}

func (d *disk) failed(step string, err error) error {
	err = fmt.Errorf("%s: %w", step, err)
	d.queue.diskFailed(err)
	return err
}

// close leaves everything to the next process.
func (d *disk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.open; s != nil {
		d.seal()
		if s.all == (Count{}) {
			d.finish(s)
		}
	}
	if d.from != nil {
		d.from.close()
	}
	d.lock.Close() // and with it, its lock
}
