package capture

import "maps"

// Stats counts what a Decoder has seen and what it could not use.
type Stats struct {
	Packets, Bytes uint64 // handed in
	NotTCP         uint64 // another protocol, or an unreadable header
	Fragments      uint64 // IP fragments, which are not put together
	NotOurs        uint64 // no listener's

	Duplicates uint64 // segments seen before, or of a connection that ended
	OutOfOrder uint64 // segments that had to wait
	HeldOver   uint64 // segments dropped because too much was waiting
	Gaps       uint64 // holes that did not fill
	// MissedBytes are those of the holes, and those that the capture cut off;
	// UnsyncedBytes were seen, but where no frame boundary was known.
	MissedBytes, UnsyncedBytes uint64
	Cut                        uint64 // segments that the capture had cut short
	Desyncs                    uint64 // times that a frame boundary was lost
	Resyncs                    uint64 // times that one was found

	Connections        uint64
	NotKafka           uint64           // connections that do not speak Kafka in the clear
	Requests           map[int16]uint64 // frames by API key
	Responses          uint64           // frames
	Tokens             uint64           // SASL frames without a header, both ways
	ProduceRequests    uint64           // handed on as events
	ProduceResponses   uint64           // handed on as events
	Fetches            uint64           // of followers, handed on as events
	UnsupportedVersion uint64           // Produce v0-v2, or newer than is known
	Undecodable        uint64           // frames that broke the format
	BadBatches         uint64           // partitions without exactly one batch of magic 2
	Unmatched          uint64           // responses to no known request
	MessageIDErrors    uint64           // batches whose records could not be walked
	TopicUnknown       uint64           // partitions whose topic id is unresolved

	// Lost counts produce requests whose response cannot be known, by the
	// reason of event.ConnLost or "unanswered" (a later one was answered), and
	// those that were cut short themselves ("partial"), or that nothing
	// confirmed to be requests ("unconfirmed").
	Lost map[string]uint64

	Panics      uint64 // each cost one connection
	Open        int    // connections now
	Outstanding int    // produce requests waiting for a response now
	Suspected   int    // requests that wait to be confirmed now
	Held        int    // bytes waiting out of order now
}

// counters are Stats as they are counted.
type counters struct {
	packets, bytes, notTCP, fragments, notOurs      uint64
	duplicates, outOfOrder, heldOver, gaps, cut     uint64
	missed, unsynced                                uint64
	desyncs, resyncs, connections, notKafka         uint64
	byKey                                           [256]uint64
	responses, tokens, produced, answered, fetches  uint64
	unsupported, undecodable, badBatches, unmatched uint64
	messageIDErrors, topicUnknown, panics           uint64
	lost                                            map[string]uint64
	outstanding, suspected, suspectedParts          int
}

// Stats may be read at any time, from any goroutine.
func (d *Decoder) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := Stats{
		Packets: d.packets, Bytes: d.bytes, NotTCP: d.notTCP, Fragments: d.fragments, NotOurs: d.notOurs,
		Duplicates: d.duplicates, OutOfOrder: d.outOfOrder, HeldOver: d.heldOver, Gaps: d.gaps,
		MissedBytes: d.missed, UnsyncedBytes: d.unsynced, Cut: d.cut,
		Desyncs: d.desyncs, Resyncs: d.resyncs, Connections: d.connections, NotKafka: d.notKafka,
		Requests: make(map[int16]uint64), Responses: d.responses, Tokens: d.tokens,
		ProduceRequests: d.produced, ProduceResponses: d.answered, Fetches: d.fetches, UnsupportedVersion: d.unsupported,
		Undecodable: d.undecodable, BadBatches: d.badBatches, Unmatched: d.unmatched,
		MessageIDErrors: d.messageIDErrors, TopicUnknown: d.topicUnknown, Lost: maps.Clone(d.lost),
		Panics: d.panics, Open: len(d.conns), Outstanding: d.outstanding,
		Suspected: d.suspected, Held: d.heldNow,
	}
	for key, n := range d.byKey {
		if n > 0 {
			s.Requests[int16(key)] = n
		}
	}
	return s
}
