package capture

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
	Resyncs    uint64 // frame boundaries found again

	Connections        uint64
	NotKafka           uint64           // connections that do not speak Kafka in the clear
	Requests           map[int16]uint64 // frames by API key
	Responses          uint64           // frames
	ProduceRequests    uint64           // handed on as events
	ProduceResponses   uint64           // handed on as events
	UnsupportedVersion uint64           // Produce v0-v2, or newer than is known
	Undecodable        uint64           // frames that broke the format
	BadBatches         uint64           // partitions without exactly one batch of magic 2
	Unmatched          uint64           // responses to no known request
	MessageIDErrors    uint64           // batches whose records could not be walked
	TopicUnknown       uint64           // partitions whose topic id is unresolved

	// Lost counts produce requests whose response cannot be known, by the
	// reason of event.ConnLost, and those that were cut short themselves
	// ("partial").
	Lost map[string]uint64

	Panics      uint64 // each cost one connection
	Open        int    // connections now
	Outstanding int    // requests waiting for a response now
	Held        int    // bytes waiting out of order now
}
