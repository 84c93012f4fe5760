package capture

import (
	"log/slog"
	"net/netip"

	"github.com/tailspan/tailspan/sidecar/event"
)

// Topics resolves topic ids. A Decoder asks it, and teaches it what the
// Metadata responses that pass by say.
type Topics interface {
	Name(pid int32, id [16]byte) (string, bool)
	Learn(pid int32, id [16]byte, name string)
}

// Options are what a Decoder is made of. Every field may be zero but Emit.
type Options struct {
	Clock  *event.Clock // nil: packet time is taken for CLOCK_MONOTONIC
	Topics Topics       // nil: topic ids stay unresolved

	// MessageIDHeader names the record header that carries the message id;
	// "" reads no records at all.
	MessageIDHeader string
	// MessageIDs gives the ids in a replay, where records are zeroed; nil: they are
	// read from the bytes. partition is the index in Request.Partitions.
	MessageIDs func(client, broker netip.AddrPort, correlationID int32, partition int) ([]string, bool)
	// OnMessageIDs is told the ids that were read, before the packet that
	// completed the request is handed to Record.
	OnMessageIDs func(client, broker netip.AddrPort, correlationID int32, partition int, ids []string)

	Emit   func(event.Event)
	Record func(Packet) // redacted, in the order of consumption; Data is borrowed; nil: no recording
	Logger *slog.Logger // nil: silent

	Bounds Bounds
}

// NewDecoder returns a Decoder without listeners: it ignores every packet
// until SetListeners.
func NewDecoder(o Options) *Decoder { return &Decoder{} }

// Decoder turns packets into events. One goroutine calls Packet and Tick;
// SetListeners and Stats are safe from any.
type Decoder struct{}

// SetListeners says which addresses are brokers': a packet to one is part of
// requests, a packet from one of responses.
func (d *Decoder) SetListeners(ls []Listener) {}

// Packet takes the next packet.
func (d *Decoder) Packet(p Packet) {}

// Tick says that all packets up to now have been handed over, so that what
// has waited too long expires though no further packet comes. After the last
// packet of a file, a Tick at its stamp + 2*HoleTimeout hands out what still
// waits behind a hole.
func (d *Decoder) Tick(now event.Time) {}

// Stats may be read at any time, from any goroutine.
func (d *Decoder) Stats() Stats { return Stats{} }
