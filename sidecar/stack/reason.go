package stack

import (
	"slices"
	"strings"
)

// Reasons for which threads wait, as they stand in spans and in what is printed.
const (
	JournalBuffer          = "journal buffer under commit" // its block is on the way to the journal
	TransactionLocked      = "transaction locked"          // the commit lets no handle begin
	TransactionSwitching   = "transaction switching"
	TransactionReservation = "transaction reservation" // others have reserved what is left
	TransactionBarrier     = "transaction barrier"     // updates are locked out: a fast commit, a freeze
	JournalSpace           = "journal space"
	CommitToFinish         = "commit to finish"
	FastCommit             = "fast commit"
	BufferLock             = "buffer lock" // its block is being read or written in place
	PageWriteback          = "page under writeback"
	PageLock               = "page lock"
	InodeWriteback         = "inode under writeback"
	DirtyThrottling        = "dirty throttling"
	RequestTag             = "request tag"
	RequestQueue           = "request queue" // of the disk: throttled or frozen
	CacheFlush             = "disk cache flush"
	BlockIO                = "block I/O"
	InodeLock              = "inode lock"
	BlockMapLock           = "block map lock"
	Freeze                 = "file system freeze"
	MemoryReclaim          = "memory reclaim"
	PageFault              = "page fault"
	XFSLogSpace            = "XFS log space"
	XFSLogBuffer           = "XFS log buffer" // all in-core logs are full
	XFSLogThrottling       = "XFS log throttling"
	XFSLogForce            = "XFS log force"
	XFSBufferLock          = "XFS buffer lock"
	XFSPinned              = "XFS pinned by the log"
	Futex                  = "futex"
	Mutex                  = "mutex"
	RWSemaphore            = "rw semaphore"
	Preempted              = "preempted" // it could have gone on
)

// Unknown is told where Reason is "".
const Unknown = "unknown"

// Reason is why a thread with this stack waits: one of the reasons above, or ""
// where the stack does not tell. Frames are function names, innermost first.
//
// Of several rules that hold, the one that stands first in the table decides.
func Reason(frames []string) string {
	frames = Trim(frames)
	best := len(rules)
	for _, f := range frames {
		if n, ok := anywhere[f]; ok {
			best = min(best, n)
		}
	}
	waiter, by := waiting(frames)
	for _, n := range waiters[waiter] {
		if rules[n].by == nil || slices.ContainsFunc(rules[n].by, func(p string) bool { return strings.HasPrefix(by, p) }) {
			best = min(best, n)
		}
	}
	if best == len(rules) {
		return ""
	}
	return rules[best].reason
}

// waiting is the innermost function that is no means of waiting, and the means
// that it called.
func waiting(frames []string) (waiter, by string) {
	for _, f := range frames {
		if !means[f] {
			return f, by
		}
		by = f
	}
	return "", by
}

// Commit says whether a reason is that of a thread which a commit of jbd2 holds
// up, and nothing else.
func Commit(reason string) bool {
	switch reason {
	case JournalBuffer, TransactionLocked, TransactionSwitching, CommitToFinish:
		return true
	}
	return false
}

// Journal says whether a reason is that of a thread which waits for jbd2: for a
// commit, or for room, which may also come from a checkpoint (fs/jbd2/checkpoint.c,
// __jbd2_log_wait_for_space) or from handles that end (fs/jbd2/transaction.c,
// add_transaction_credits).
func Journal(reason string) bool {
	return Commit(reason) || reason == TransactionReservation || reason == JournalSpace
}

// Disk says whether a reason is that of a thread which waits for something that
// a commit may have sent to the disk, or not.
func Disk(reason string) bool {
	switch reason {
	case PageWriteback, PageLock, InodeWriteback, BufferLock, BlockIO:
		return true
	}
	return false
}

// IO says whether a reason is that of a thread which waits for the disk, or for
// those who do.
func IO(reason string) bool {
	switch reason {
	case DirtyThrottling, RequestTag, RequestQueue, CacheFlush, FastCommit, TransactionBarrier:
		return true
	}
	return Disk(reason)
}

// XFSLog says whether a reason is that of a thread which waits for XFS's log,
// whoever writes that.
func XFSLog(reason string) bool {
	switch reason {
	case XFSLogSpace, XFSLogBuffer, XFSLogThrottling, XFSLogForce, XFSBufferLock, XFSPinned:
		return true
	}
	return false
}

// Trim takes off what the stack of every waiting thread begins with: what traced
// it, and the scheduler.
func Trim(frames []string) []string {
	const deep = 16 // programs, trampolines and tracepoints above the scheduler
	for _, last := range []string{"__schedule", "__traceiter_sched_switch"} {
		if i := slices.Index(frames[:min(len(frames), deep)], last); i >= 0 {
			return frames[i+1:]
		}
	}
	return frames
}

var (
	anywhere = map[string]int{}   // of a function: the first rule with it
	waiters  = map[string][]int{} // of the innermost one
)

func init() {
	for n := range rules {
		for _, f := range rules[n].anywhere {
			if _, ok := anywhere[f]; !ok {
				anywhere[f] = n
			}
		}
		for _, f := range rules[n].waiter {
			waiters[f] = append(waiters[f], n)
		}
	}
}
