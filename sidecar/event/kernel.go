package event

// Write is one write(2), pwrite64(2), writev(2) or pwritev(2) of a traced
// process to a segment file `topic-partition/base.log` of its log dirs.
type Write struct {
	Start, End Time
	Thread
	TopicPartition
	File   string // topic-partition/segment.log
	Device Device
	Inode  uint64
	Offset int64 // in the file
	Bytes  int64 // what the call returned; negative: -errno

	// The record-batch header as it stood in the first 61 bytes of the
	// buffer; Batch is false where there was none (magic was not 2).
	Batch      bool
	BaseOffset int64
	BatchBytes int32 // the whole batch: length field + 12
	CRC        uint32
	Attributes int16
	Records    int32
	ProducerID int64
	// LeaderEpoch is the partition leader's epoch, which the broker set; no
	// CRC covers it.
	LeaderEpoch int32
}

// DirtyInode is one run of the file system's dirty_inode operation
// (ext4_dirty_inode) inside a write of the same thread.
type DirtyInode struct {
	Start, End Time
	Thread
	Device     Device
	Inode      uint64
	FileSystem string // "ext4", "xfs", …; "" unknown
}

// CommitStart says that a jbd2 commit has begun on a device.
type CommitStart struct {
	Time        Time
	Device      Device
	Transaction uint32
}

// Commit is one whole jbd2 commit with its phases
// (fs/jbd2/commit.c: jbd2_journal_commit_transaction). A phase that was not
// seen is 0.
type Commit struct {
	Start, Locking, Flushing, Logging, End Time
	Device                                 Device
	Transaction                            uint32
	TID                                    int32 // of the journal's own thread, kjournald2; 0 unknown

	Origin Origin      // who had it begun; "" unknown
	By     Thread      // likewise, where a thread asked for it; any process's
	Free   uint32      // blocks of the journal that were free at the start
	Size   uint32      // and all of its blocks; 0 unknown
	Stats  CommitStats // zero where not seen
}

// Origin says who had a jbd2 commit begun.
type Origin string

// The origins of commits.
const (
	OriginInterval Origin = "interval" // its transaction had lived for the commit interval
	OriginFsync    Origin = "fsync"    // fsync(2) and its like
	OriginSync     Origin = "sync"     // sync(2), syncfs(2)
	OriginSpace    Origin = "space"    // a handle that found no room in the journal
)

// CommitStats are the kernel's own figures of a commit (include/linux/jbd2.h,
// struct transaction_run_stats_s). Durations are of the kernel's tick, 1 to
// 10 ms, and 0 where that was not known.
type CommitStats struct {
	Handles, Blocks, Logged                                uint32
	Wait, RequestDelay, Running, Locked, Flushing, Logging Time
}

// Stack is a kernel stack with its meaning. Stacks are shared: nobody changes
// one.
type Stack struct {
	Frames []string // function names, innermost first
	Reason string   // why a thread is there: one of package stack's; "" unknown
}

// OffCPU is a stay of a thread off its CPU inside a write or an fsync of its
// own.
type OffCPU struct {
	Start, End Time
	Woken      Time // when it could run again; 0: not seen
	Thread
	Preempted bool   // it could have gone on running all the time
	IO        bool   // it waited as for I/O (task_struct.in_iowait)
	Stack     *Stack // nil where the time was short, or the stack is not known
}

// Sample is a thread found running inside a write or an fsync of its own.
type Sample struct {
	Time Time
	Thread
	Stack *Stack
}

// Fsync is one call of fsync, fdatasync or msync of a traced process.
type Fsync struct {
	Start, End Time
	Thread
	Device Device
	Inode  uint64
	File   string // directory/name
	Data   bool   // fdatasync
	Result int64  // 0, or -errno
}

// JournalWait is what a thread waited to join a transaction, inside a write or
// an fsync of its own.
type JournalWait struct {
	Start, End Time
	Thread
	Device      Device
	Transaction uint32 // 0: not known
	Grant       bool   // XFS's wait for room in its log; else jbd2's for a handle
}

// FastCommit is one fast commit of ext4 (fs/ext4/fast_commit.c), by the thread
// whose fsync it is.
type FastCommit struct {
	Start, End Time
	Thread
	Device      Device
	Transaction uint32 // 0: not known
	Blocks      uint32
	Status      int32 // 0: success
}

// LogForce is one force of an XFS log (fs/xfs/xfs_log.c).
type LogForce struct {
	Start, End Time
	Thread
	Device Device
	Sync   bool // it waited for the log to be on disk
}

// BlockIO is one request to a disk, from issue to completion.
type BlockIO struct {
	Start, End Time
	Thread            // who issued it
	Device     Device // of the file system on that disk
	Disk       Device
	Sector     uint64
	Bytes      uint32
	Op         string // read, write, flush, discard, other
	Error      int32
}
