package capture

import (
	"time"

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
}

// Live captures the packets of the ports on all interfaces.
type Live struct{}

// OpenLive starts a capture; it needs CAP_NET_RAW. Close ends it.
func OpenLive(o LiveOptions) (*Live, error) { return nil, nil }

// SetPorts replaces the ports; safe from any goroutine.
func (l *Live) SetPorts(ports []uint16) error { return nil }

// Read waits up to timeout for packets, hands out what there is, and returns
// the instant up to which every packet has been handed out. A timeout is no
// error. One goroutine reads.
func (l *Live) Read(timeout time.Duration, handle func(Packet)) (progress event.Time, err error) {
	return 0, nil
}

// Stats may be read at any time, from any goroutine.
func (l *Live) Stats() LiveStats { return LiveStats{} }

// Close ends the capture; not while Read runs.
func (l *Live) Close() error { return nil }
