package capture

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/sidecar/event"
)

// LiveOptions are what a Live capture is made of.
type LiveOptions struct {
	Ports        []uint16      // the brokers'; may be changed by SetPorts
	Clock        *event.Clock  // converts stamps for the progress that Read reports
	RingBytes    int           // default 16 MiB
	BlockTimeout time.Duration // after which the kernel hands over a part-filled block; default 10 ms
}

// LiveStats counts what the kernel did.
type LiveStats struct {
	Packets uint64 // that passed the filter
	Dropped uint64 // for want of room in the ring
	Freezes uint64 // times the ring was full
	Damaged uint64 // blocks of the ring that made no sense
}

const (
	// blockBytes holds a packet of 64 KiB; small blocks let many part-filled
	// ones wait while the reader is kept from running.
	blockBytes   = 128 << 10
	minRing      = 4 * blockBytes
	frameBytes   = 2048 // TPACKET_V3 packs frames; the kernel wants a number
	stampSlack   = event.Time(time.Millisecond)
	rounding     = 20 * time.Millisecond // of the kernel's timer
	defaultRing  = 16 << 20
	defaultBlock = 10 * time.Millisecond
)

// Live captures the packets of the ports on all interfaces, through a ring of
// blocks shared with the kernel (AF_PACKET, TPACKET_V3).
type Live struct {
	fd     int
	ring   []byte
	blocks int
	at     int // the next block
	clock  *event.Clock
	margin event.Time
	last   int64 // the latest stamp
	mark   event.Time

	mu      sync.Mutex
	stats   LiveStats
	damaged atomic.Uint64
}

// OpenLive starts a capture; it needs CAP_NET_RAW. Close ends it.
func OpenLive(o LiveOptions) (*Live, error) {
	if o.RingBytes <= 0 {
		o.RingBytes = defaultRing
	}
	if o.BlockTimeout <= 0 {
		o.BlockTimeout = defaultBlock
	}
	if o.Clock == nil {
		o.Clock = new(event.Clock)
	}
	// Protocol 0: nothing arrives before the filter is in place and bind asks.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	l := &Live{
		fd: fd, blocks: max(o.RingBytes, minRing) / blockBytes, clock: o.Clock,
		// A block is handed over at the latest when its timer has run twice.
		margin: event.Time(3*o.BlockTimeout + rounding),
	}
	if err := l.setUp(o); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Live) setUp(o LiveOptions) error {
	if err := unix.SetsockoptInt(l.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("choose TPACKET_V3: %w", err)
	}
	req := unix.TpacketReq3{
		Block_size: blockBytes, Block_nr: uint32(l.blocks), Frame_size: frameBytes,
		Frame_nr:       uint32(l.blocks * (blockBytes / frameBytes)),
		Retire_blk_tov: uint32(max(o.BlockTimeout.Milliseconds(), 1)),
	}
	if err := unix.SetsockoptTpacketReq3(l.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("make packet ring of %d bytes: %w", l.blocks*blockBytes, err)
	}
	var err error
	if l.ring, err = unix.Mmap(l.fd, 0, l.blocks*blockBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("map packet ring: %w", err)
	}
	if err := l.SetPorts(o.Ports); err != nil {
		return err
	}
	return l.SetLoopback(false)
}

// SetPorts replaces the ports; safe from any goroutine.
func (l *Live) SetPorts(ports []uint16) error {
	if len(ports) > maxPorts {
		return fmt.Errorf("filter packets: %d ports, at most %d", len(ports), maxPorts)
	}
	raw, err := portFilter(ports)
	if err != nil {
		return fmt.Errorf("assemble packet filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.SetsockoptSockFprog(l.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		return fmt.Errorf("attach packet filter: %w", err)
	}
	return nil
}

// Read waits up to timeout for packets, hands out what there is, and returns
// the instant up to which every packet has been handed out. A timeout is no
// error. A packet's Data lies in the ring: it is gone when handle returns. One
// goroutine reads.
//
// While blocks are ready the instant follows the stamps. Once none is, it is
// the time of looking less a margin: packets younger than that may still lie
// in a block that the kernel has not handed over.
func (l *Live) Read(timeout time.Duration, handle func(Packet)) (progress event.Time, err error) {
	if !l.ready() {
		fds := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN | unix.POLLERR}}
		_, err := unix.Poll(fds, int(timeout.Milliseconds()))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return l.mark, fmt.Errorf("wait for packets: %w", err)
		}
		if fds[0].Revents&unix.POLLERR != 0 { // an interface went down: the others go on
			_, _ = unix.GetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		}
	}
	for range l.blocks {
		now := monotonic()
		if !l.ready() {
			l.mark = max(l.mark, now-l.margin)
			return l.mark, nil
		}
		l.take(handle)
	}
	l.mark = max(l.mark, l.clock.Mono(l.last)-stampSlack)
	return l.mark, nil
}

// SetLoopback captures on the loopback interface only, or on all again; safe
// from any goroutine. Where all listeners are there it spares the sender of
// each packet a copy that the filter would drop.
func (l *Live) SetLoopback(only bool) error {
	bind := unix.SockaddrLinklayer{Protocol: uint16(unix.ETH_P_ALL&0xff)<<8 | unix.ETH_P_ALL>>8}
	ignore := 0
	if only {
		index, err := loopback()
		if err != nil {
			return fmt.Errorf("find the loopback interface: %w", err)
		}
		bind.Ifindex, ignore = index, 1
	}
	// Kernels before 4.20 have no such option: the filter does it, for more.
	_ = unix.SetsockoptInt(l.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, ignore)
	if err := unix.Bind(l.fd, &bind); err != nil {
		return fmt.Errorf("bind packet socket: %w", err)
	}
	return nil
}

func loopback() (index int, err error) {
	all, err := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Index, nil
		}
	}
	return 0, errors.Join(err, unix.ENODEV)
}

func monotonic() event.Time {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail for this clock
	return event.Time(t.Nano())
}

// block is the block that is due: its descriptor, and then packets.
func (l *Live) block() []byte { return l.ring[l.at*blockBytes : (l.at+1)*blockBytes] }

type blockDesc struct {
	version, toPrivate uint32
	header             unix.TpacketHdrV1
}

func (l *Live) ready() bool {
	d := (*blockDesc)(unsafe.Pointer(&l.block()[0]))
	return atomic.LoadUint32(&d.header.Block_status)&unix.TP_STATUS_USER != 0
}

// take hands out the packets of the block that is due and gives it back.
func (l *Live) take(handle func(Packet)) {
	b := l.block()
	d := (*blockDesc)(unsafe.Pointer(&b[0]))
	off := int(d.header.Offset_to_first_pkt)
	for range d.header.Num_pkts {
		if off < 0 || off+unix.SizeofTpacket3Hdr > len(b) {
			l.damaged.Add(1)
			break
		}
		h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&b[off]))
		from := off + int(h.Mac)
		if to := from + int(h.Snaplen); from <= to && to <= len(b) {
			l.last = int64(h.Sec)*1e9 + int64(h.Nsec)
			handle(Packet{Unix: l.last, LinkType: LinkRaw, Data: b[from:to:to], WireLength: int(h.Len)})
		} else {
			l.damaged.Add(1)
		}
		off += int(h.Next_offset)
	}
	atomic.StoreUint32(&d.header.Block_status, unix.TP_STATUS_KERNEL)
	l.at = (l.at + 1) % l.blocks
}

// Stats may be read at any time until Close, from any goroutine.
func (l *Live) Stats() LiveStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, err := unix.GetsockoptTpacketStatsV3(l.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		l.stats.Packets += uint64(s.Packets) // the kernel starts at 0 again
		l.stats.Dropped += uint64(s.Drops)
		l.stats.Freezes += uint64(s.Freeze_q_cnt)
	}
	l.stats.Damaged = l.damaged.Load()
	return l.stats
}

// Close ends the capture; not while Read runs.
func (l *Live) Close() error {
	if l.ring != nil {
		_ = unix.Munmap(l.ring)
		l.ring = nil
	}
	return unix.Close(l.fd)
}
