package metrics

// Account is what others count, at one instant. Counters never fall. Where a map
// has no entry, nothing is shown.
type Account struct {
	// Requests: Seen = Exported + SampledOut + Pending + ΣDropped.
	Seen, Exported, SampledOut, Pending uint64
	Dropped                             map[StageReason]uint64

	Traces map[string]uint64 // what became of traces, those of no request included
	Kept   map[string]uint64 // traces by why they were kept
	Export Export
	Lost   map[string]uint64 // what could not be seen

	Probes    []Probe
	Brokers   int // that are traced
	Unwatched int // JVMs whose monitors are not watched for now
}

// StageReason says where and why requests were dropped.
type StageReason struct{ Stage, Reason string }

// Export is the way to the collector.
type Export struct {
	Spans     uint64 // that it took
	Queued    uint64 // spans that wait for it, on disk included
	DiskBytes uint64 // of them on disk
	Failures  uint64 // attempts that failed
}

// Probe is a way to see something, and whether it is in use. Of several with the
// same name and backend one that is down counts.
type Probe struct {
	Name, Backend string
	Up            bool
}
