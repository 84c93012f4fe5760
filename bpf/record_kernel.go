package bpf

import "encoding/binary"

// Stack is a kernel stack as the kernel gave it: return addresses, innermost
// first, 8 bytes each.
type Stack []byte

// Len is the number of addresses, at most 64.
func (s Stack) Len() int { return len(s) / 8 }

// At is the address number i.
func (s Stack) At(i int) uint64 { return binary.LittleEndian.Uint64(s[8*i:]) }

// Set puts another word in the place of address number i.
func (s Stack) Set(i int, v uint64) { binary.LittleEndian.PutUint64(s[8*i:], v) }

// StackOf is the stack in a raw record, empty in one that has none. Whatever
// stands where addresses may stand is in it, well formed or not.
func StackOf(raw []byte) Stack {
	if len(raw) == 0 {
		return nil
	}
	fixed := len(raw)
	switch Kind(raw[0]) {
	case KindOffCPU:
		fixed = offCPUSize
	case KindSample:
		fixed = sampleSize
	}
	if len(raw) <= fixed {
		return nil
	}
	return Stack(raw[fixed:])
}

// OffCPU is a stay of a thread off its CPU inside a Write or an Fsync of its
// own; it ran again at the record's Time.
type OffCPU struct {
	Start     int64
	Woken     int64 // when it could run again; 0: not seen
	Preempted bool  // it could have gone on running all the time
	IO        bool  // it waited as for I/O (task_struct.in_iowait)
	Comm      []byte
	Stack     Stack // empty where the time was short
}

// Sample is a thread found running inside a Write or an Fsync of its own.
type Sample struct {
	Comm  []byte
	Stack Stack
}

// Fsync is one call of fsync, fdatasync or msync of a traced process, in any
// file system; it ended at the record's Time.
type Fsync struct {
	Start  int64
	Device uint32
	Inode  uint64
	Result int64 // 0, or -errno
	Data   bool  // fdatasync
	Comm   []byte
	Name   []byte // the file's, at most 40 bytes of it
	Dir    []byte // its directory's
}

// JournalWaitKind says what a thread had to wait for to join a transaction.
type JournalWaitKind uint32

const (
	WaitHandle JournalWaitKind = 1 + iota // jbd2: from asking for a handle to its start
	WaitGrant                             // XFS: for room in the log

	waitCount
)

// JournalWait is such a wait inside a Write or an Fsync of the same thread; it
// ended at the record's Time.
type JournalWait struct {
	Start       int64
	Device      uint32
	Transaction uint32 // 0: not known
	Kind        JournalWaitKind
	Comm        []byte
}

// Origin is who had a jbd2 commit begun.
type Origin uint32

const (
	OriginUnknown  Origin = iota
	OriginInterval        // its transaction had lived for the commit interval
	OriginFsync           // fsync(2) and its like
	OriginSync            // sync(2), syncfs(2)
	OriginSpace           // a handle that found no room in the journal

	originCount
)

// CommitOrigin follows the start of a commit.
type CommitOrigin struct {
	Device      uint32
	Transaction uint32
	Origin      Origin
	TGID, TID   int32 // who asked for it; 0: not known
	Comm        []byte
	Free, Size  uint32 // blocks of the journal; 0: not known
}

// CommitStats precedes the end of a commit: the kernel's own figures of it
// (include/linux/jbd2.h, struct transaction_run_stats_s). Times are jiffies.
type CommitStats struct {
	Device                                                 uint32
	Transaction                                            uint32
	Handles, Blocks, Logged                                uint32
	Jiffies                                                uint64 // jiffies_64 at the record's Time
	Wait, RequestDelay, Running, Locked, Flushing, Logging uint32
}

// FastCommit is one fast commit of ext4 (fs/ext4/fast_commit.c); it ended at
// the record's Time.
type FastCommit struct {
	Start       int64
	Device      uint32
	Transaction uint32 // 0: not known
	Blocks      uint32
	Status      int32 // 0: success
	Comm        []byte
}

// LogForce is one force of an XFS log (fs/xfs/xfs_log.c); it ended at the
// record's Time.
type LogForce struct {
	Start  int64
	Device uint32
	Flags  uint32
	Comm   []byte
}

// BlockIO is one request to a disk, from its issue to its completion at the
// record's Time. TGID and TID are who issued it.
type BlockIO struct {
	Start  int64
	Device uint32 // the disk's
	Sector uint64
	Bytes  uint32
	Op     uint32 // REQ_OP_* (include/linux/blk_types.h)
	Error  int32
	Comm   []byte
}
