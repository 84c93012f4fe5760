package bpf

import "strconv"

// Kind says what a record is about.
type Kind uint8

const (
	KindWrite Kind = 1 + iota
	KindWake       // the first wake-up of another after a Write or a monitor's wait
	KindDirtyInode
	KindJournal
	KindMonitorEnter
	KindMonitorEntered
	KindMonitorExit
	KindOffCPU
	KindSample
	KindFsync
	KindJournalWait
	KindCommitOrigin
	KindCommitStats
	KindFastCommit
	KindLogForce
	KindBlockIO
	KindThreadStart
	KindPark
	KindVMOperation
	KindGC

	kindCount // and one more than the greatest kind
)

var kindNames = [kindCount]string{"", "write", "wake", "dirty_inode", "journal",
	"monitor_enter", "monitor_entered", "monitor_exit", "off_cpu", "sample", "fsync",
	"journal_wait", "commit_origin", "commit_stats", "fast_commit", "log_force", "block_io",
	"thread_start", "park", "vm_operation", "gc"}

func (k Kind) String() string {
	if k == 0 || k >= kindCount {
		return "kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kindNames[k]
}

// Kinds is every kind that there is, in order.
func Kinds() []Kind {
	all := make([]Kind, 0, kindCount-1)
	for k := KindWrite; k < kindCount; k++ {
		all = append(all, k)
	}
	return all
}

// Record is a decoded record: the common part, and the one struct that Kind
// names; the others are stale. It is meant to be reused.
type Record struct {
	Kind      Kind
	TGID, TID int32
	Time      int64 // when it was complete: the instant to order records by

	Write      Write
	DirtyInode DirtyInode
	Journal    Journal
	Monitor    Monitor // of the three monitor kinds

	OffCPU       OffCPU
	Sample       Sample
	Fsync        Fsync
	JournalWait  JournalWait
	CommitOrigin CommitOrigin
	CommitStats  CommitStats
	FastCommit   FastCommit
	LogForce     LogForce
	BlockIO      BlockIO

	ThreadStart ThreadStart
	Park        Park
	VM          VM // of VM operations and GCs
}

// Write is one call of write, pwrite64, writev or pwritev on a regular file
// with the name of a segment (24 bytes that end in ".log"); it ended at the
// record's Time. Its slices lie in the raw record.
type Write struct {
	Start  int64
	Device uint32
	Inode  uint64
	Offset int64  // in the file, before the call
	Result int64  // bytes, or -errno
	Comm   []byte // the thread's name, at most 15 bytes
	Name   []byte // the file's
	Dir    []byte // its directory's: Kafka's topic-partition
	Head   []byte // 61 bytes of record-batch header (magic 2), or nil
	Unread bool   // Head is nil for the buffer could not be read
}

// DirtyInode is one run of the file system's dirty_inode inside a Write of the
// same thread; it ended at the record's Time.
type DirtyInode struct {
	Start  int64
	Device uint32 // 0 where the inode is not the one written to
	Inode  uint64
	Comm   []byte
}

// Phase is a step of a jbd2 commit.
type Phase uint32

const (
	PhaseStart Phase = 1 + iota
	PhaseLocking
	PhaseFlushing
	PhaseLogging
	PhaseEnd

	phaseCount
)

// Journal says that a commit reached a phase. The record's TGID and TID are the
// journal's kernel thread.
type Journal struct {
	Device      uint32
	Transaction uint32
	Phase       Phase
}

// Monitor is a contended Java monitor: a thread begins to wait for it (enter),
// has it (entered), or lets it go while others wait (exit).
type Monitor struct {
	Address    uint64 // ObjectMonitor *
	JavaThread int64
	Comm       []byte
	Class      []byte // of enter only; as HotSpot has it: java/lang/Object
	ClassCut   bool   // Class is only the beginning
	Function   bool   // seen at a function of libjvm, not at a probe
}

// Device is the kernel's own number of the device that stat(2) calls stDev.
func Device(stDev uint64) uint32 {
	major := uint32(stDev>>8)&0xfff | uint32(stDev>>32)&^0xfff
	minor := uint32(stDev)&0xff | uint32(stDev>>12)&^0xff
	return major<<20 | minor&(1<<20-1)
}
