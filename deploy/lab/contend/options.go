package contend

import (
	"fmt"
	"time"
)

// Mode is how threads contend.
type Mode string

// The modes.
const (
	// Even: the threads are spread over the locks; each lock is held in turns of
	// equal length, and every enter is contended. With two threads a lock, a wait
	// has one holder; with more, a queue.
	Even Mode = "even"
	// Slow: again and again the first thread holds the one lock for long, and all
	// others wait for it and then hold it for a moment each.
	Slow Mode = "slow"
	// Chain: again and again thread n waits for n+1, and the last holds for long.
	Chain Mode = "chain"
)

// Class is that of the contended objects, as HotSpot has it; no other monitor is
// of this class.
const Class = "Scenario$Lock"

// Options of a run.
type Options struct {
	Mode    Mode
	Threads int           // at least 2
	Locks   int           // of Even, 0: one for two threads; a multiple of it are the threads
	Rate    int           // of Even: contended enters a second, of all locks together; up to 1,000 a lock is kept well
	Hold    time.Duration // of Slow and Chain: the long one
	Quick   time.Duration // of Slow: the others'
	Workers int           // threads that compute and never wait: they use what CPU is left
	Virtual bool          // virtual threads (JDK 21 on)
	Kept    int           // holds of each thread that are written down; those beyond are not
	Names   string        // of the threads, before their number, without blanks; "": data-plane-contender-
}

func (o Options) locks() int {
	switch {
	case o.Mode == Slow:
		return 1
	case o.Mode == Chain:
		return o.Threads - 1
	case o.Locks > 0:
		return o.Locks
	}
	return max(1, o.Threads/2)
}

// check finds what the program would stumble over.
func (o Options) check() error {
	switch {
	case o.Threads < 2:
		return fmt.Errorf("contend: %d threads", o.Threads)
	case o.Mode == Even && (o.Rate <= 0 || o.Threads < 2*o.locks()):
		return fmt.Errorf("contend: %d threads for %d locks, %d/s", o.Threads, o.locks(), o.Rate)
	}
	return nil
}

func (o Options) line() string {
	names := o.Names
	if names == "" {
		names = "data-plane-contender-"
	}
	return fmt.Sprintf("run mode=%s threads=%d locks=%d rate=%d hold_ns=%d quick_ns=%d workers=%d virtual=%t log=%d name=%s",
		o.Mode, o.Threads, o.locks(), o.Rate, o.Hold.Nanoseconds(), o.Quick.Nanoseconds(), o.Workers, o.Virtual, o.Kept, names)
}
