package bpf

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is the reading end of a BPF ring buffer (kernel/bpf/ringbuf.c): a page
// with the consumer's position, a page with the producer's, and the data,
// mapped twice in a row so that no record is ever cut at the end.
//
// cilium's reader waits by epoll, which does not look at a ring that wakes
// nobody, and copies each record; it also cannot say when the ring was empty.
type ring struct {
	mu       sync.Mutex // held while reading; keeps the mappings alive
	position []byte     // the consumer's page
	shared   []byte     // the producer's page and the data
	data     []byte     // of shared
	mask     uint64
	stop     int // eventfd that ends a wait
	fds      [2]unix.PollFd
	timeout  unix.Timespec
	drained  int64
}

const (
	ringHeader  = 8
	ringBusy    = 1 << 31 // the record is reserved, not yet complete
	ringDiscard = 1 << 30
)

var errRing = errors.New("ring buffer is not sane")

func openRing(fd int, size uint32) (*ring, error) {
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("create eventfd: %w", err)
	}
	r := &ring{mask: uint64(size) - 1, stop: stop}
	r.fds = [2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
	page := os.Getpagesize()
	if r.position, err = unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return nil, errors.Join(fmt.Errorf("map consumer page: %w", err), r.close())
	}
	if r.shared, err = unix.Mmap(fd, int64(page), page+2*int(size), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return nil, errors.Join(fmt.Errorf("map ring: %w", err), r.close())
	}
	r.data = r.shared[page:]
	return r, nil
}

func (r *ring) consumer() *uint64 { return (*uint64)(unsafe.Pointer(&r.position[0])) }
func (r *ring) producer() uint64 {
	return atomic.LoadUint64((*uint64)(unsafe.Pointer(&r.shared[0])))
}

// read hands out what is in the ring, see Probes.Read. The clock is read before
// the producer's position: whatever is in the ring at that time is handed out.
func (r *ring) read(wait time.Duration, handle func([]byte)) (drained int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.position == nil {
		return 0, fmt.Errorf("read ring: %w", os.ErrClosed)
	}
	if err := r.wait(wait); err != nil {
		return 0, err
	}
	now := monotonic()
	whole, err := r.consume(r.producer(), handle)
	if whole {
		r.drained = now - int64(settle)
	}
	return r.drained, err
}

// wait returns when there may be something to read, or enough time has passed;
// a signal may end it early.
func (r *ring) wait(d time.Duration) error {
	if atomic.LoadUint64(r.consumer()) != r.producer() {
		d = 0
	}
	if d > 0 {
		r.timeout = unix.NsecToTimespec(int64(d))
		_, err := unix.Ppoll(r.fds[:], &r.timeout, nil)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("wait for records: %w", err)
		}
		if r.fds[1].Revents != 0 {
			return fmt.Errorf("read ring: %w", os.ErrClosed)
		}
	}
	return nil
}

// consume hands out the records before end. It is not whole when it met one
// that its program has reserved and not finished, which stops all behind it.
func (r *ring) consume(end uint64, handle func([]byte)) (whole bool, err error) {
	at := atomic.LoadUint64(r.consumer())
	for at != end {
		start := at & r.mask
		header := atomic.LoadUint32((*uint32)(unsafe.Pointer(&r.data[start])))
		if header&ringBusy != 0 {
			runtime.Gosched()
			return false, nil
		}
		size := uint64(header &^ (ringBusy | ringDiscard))
		next := at + ringHeader + (size+7)&^7
		if next-at > end-at || next-at > r.mask+1 {
			return false, fmt.Errorf("%w: record of %d bytes", errRing, size)
		}
		if header&ringDiscard == 0 {
			body := start + ringHeader
			handle(r.data[body : body+size : body+size])
		}
		at = next
		atomic.StoreUint64(r.consumer(), at)
	}
	return true, nil
}

// close ends a read under way and waits for it.
func (r *ring) close() error {
	one := [8]byte{1}
	_, err := unix.Write(r.stop, one[:])
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range []*[]byte{&r.position, &r.shared} {
		if *m != nil {
			err = errors.Join(err, unix.Munmap(*m))
			*m = nil
		}
	}
	r.data = nil
	return errors.Join(err, unix.Close(r.stop))
}

func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // fails on a bad clock id only
	return t.Nano()
}
