package assemble

import "maps"

// Stats counts what was joined and what could not be.
type Stats struct {
	Requests    uint64 // seen
	Finished    uint64 // handed to Output
	Pending     uint64 // not yet
	Dropped     map[string]uint64
	Exact       uint64 // partitions joined with their write
	Inferred    uint64
	Unjoined    uint64 // appended, but the write was not seen
	Duplicates  uint64 // appended before: no write of their own
	Refused     uint64 // partitions with an error
	Unanswered  uint64 // neither a write nor a response was seen
	Lost        uint64 // acks=0 requests that never reached the log, or not all of them
	LostRecords uint64 // what these carried, that nobody was told of
	Appends     uint64 // of clients whose requests cannot be read
	AppendsCut  uint64 // of them: not all record headers could be read
	NoRequest   uint64 // responses whose request is unknown
	BadTimes    uint64 // events at an impossible instant: left out
	Writes      uint64
	Fsyncs      uint64
	Waits       uint64
	Parks       uint64 // of threads that write, but for those in the request queue
	QueuesExact uint64 // requests of which it is known when they were taken from the queue
	LostWaits   uint64 // waits of which the beginning or the end was not seen
	SharesCut   uint64 // holders of a wait beyond those that are kept
	BlockedCut  uint64 // parts of waits not counted for their root: it had been told, or has too many
	Ambiguous   uint64 // waits and fsyncs that could belong to either of two requests
	Commits     uint64
	LostEnds    uint64 // commits of which the end was not seen
	StaysCut    uint64 // stays off the CPU beyond those of one write that are kept apart
	SamplesCut  uint64 // likewise
}

// Stats may be called between two events.
func (a *Assembler) Stats() Stats {
	s := a.stats
	s.Dropped = maps.Clone(s.Dropped) // it is read while this goes on
	s.Pending = s.Requests - s.Finished
	for _, n := range s.Dropped {
		s.Pending -= n
	}
	return s
}
