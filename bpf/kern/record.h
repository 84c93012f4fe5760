// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The records as they lie in the ring buffer and in recordings: little endian,
// padding explicit and zero. decode.go reads exactly this; a change of layout
// raises RECORD_VERSION.
#pragma once

#define RECORD_VERSION 1

enum kind {
	KIND_WRITE = 1,
	KIND_WAKE,
	KIND_DIRTY_INODE,
	KIND_JOURNAL,
	KIND_MONITOR_ENTER,
	KIND_MONITOR_ENTERED,
	KIND_MONITOR_EXIT,
	KIND_OFFCPU,
	KIND_SAMPLE,
	KIND_FSYNC,
	KIND_JOURNAL_WAIT,
	KIND_COMMIT_ORIGIN,
	KIND_COMMIT_STATS,
	KIND_FAST_COMMIT,
	KIND_LOG_FORCE,
	KIND_BLOCK_IO,
	KIND_THREAD_START,
	KIND_PARK,
	KIND_VM_OPERATION,
	KIND_GC,
	KIND_COUNT,
};

#define COMM_LEN 16
#define SEGMENT_LEN 24 // 20 digits and ".log"
#define BATCH_HEAD 61  // a record batch's header, format 2
#define BATCH_MAGIC 16 // where its magic byte stands
#define DIR_MAX 255    // NAME_MAX
#define CLASS_MAX 80
#define THREAD_NAME_MAX 128
#define VM_NAME_MAX 80
#define FILE_LEN 40    // of an fsync's file; a longer name is cut
#define STACK_MAX 64   // return addresses, innermost first

enum { // flags of a write
	WRITE_BATCH = 1,  // head holds a record batch's header
	WRITE_UNREAD = 2, // the buffer could not be read
};

enum { // flags of a monitor record
	MONITOR_CUT = 1,      // the class name was longer than CLASS_MAX
	MONITOR_FUNCTION = 2, // seen at a function of libjvm, not at a probe
};

enum { // flags of an off-CPU record
	OFFCPU_PREEMPTED = 1, // it could have gone on running
	OFFCPU_IO = 2,        // it waited as for I/O (task_struct.in_iowait)
};

enum { // flags of an fsync
	FSYNC_DATA = 1, // fdatasync(2)
};

enum { // flags of a park
	PARK_TIMED = 1,  // it had a time limit
	PARK_KERNEL = 2, // seen as a wait for a futex, not by HotSpot's probes
};

enum { // flags of a VM operation and of a GC
	VM_CONCURRENT = 1, // done without a safepoint
	VM_FULL = 2,       // a full GC
};

enum journal_wait { // what a thread waited for to join a transaction
	WAIT_HANDLE = 1, // jbd2: from ext4's asking for a handle to its start
	WAIT_GRANT,      // XFS: for room in the log
	WAIT_COUNT,
};

enum origin { // who had a commit begun
	ORIGIN_UNKNOWN,
	ORIGIN_INTERVAL, // its transaction had lived for the commit interval
	ORIGIN_FSYNC,    // fsync(2) and its like
	ORIGIN_SYNC,     // sync(2), syncfs(2)
	ORIGIN_SPACE,    // a handle that found no room in the journal
	ORIGIN_COUNT,
};

struct record {
	__u8 kind;
	__u8 version;
	__u8 flags;
	__u8 tail; // bytes that follow the fixed part; of a stack, words
	__u32 tgid;
	__u32 tid;
	__u32 dev; // MAJOR << 20 | MINOR, 0 unknown
	__u64 at;  // when it was complete
};

struct write_record {
	struct record r;
	__u64 start;
	__u64 ino;
	__s64 offset;
	__s64 ret;
	char comm[COMM_LEN];
	char name[SEGMENT_LEN];
	__u8 head[BATCH_HEAD];
	__u8 pad[3];
	char dir[DIR_MAX + 1]; // the tail, without its NUL
};

#define WRITE_FIXED __builtin_offsetof(struct write_record, dir)

struct wake_record {
	struct record r;
};

struct dirty_inode_record {
	struct record r;
	__u64 start;
	__u64 ino;
	char comm[COMM_LEN];
};

struct journal_record {
	struct record r;
	__u32 transaction;
	__u32 phase;
};

struct monitor_record {
	struct record r;
	__u64 monitor;
	__s64 thread; // Java's thread id
	char comm[COMM_LEN];
	char class[CLASS_MAX]; // the tail
};

// A thread was off its CPU inside a write or an fsync; at is when it ran again.
struct offcpu_record {
	struct record r;
	__u64 start;
	__u64 woken; // when it could run again, 0 not seen
	char comm[COMM_LEN];
	__u64 stack[STACK_MAX]; // the tail, none where the time was short
};

#define OFFCPU_FIXED __builtin_offsetof(struct offcpu_record, stack)

// A thread was found running inside a write or an fsync.
struct sample_record {
	struct record r;
	char comm[COMM_LEN];
	__u64 stack[STACK_MAX]; // the tail
};

#define SAMPLE_FIXED __builtin_offsetof(struct sample_record, stack)

struct fsync_record {
	struct record r;
	__u64 start;
	__u64 ino;
	__s64 ret;
	char comm[COMM_LEN];
	char name[FILE_LEN];
	char dir[DIR_MAX + 1]; // the tail, without its NUL
};

#define FSYNC_FIXED __builtin_offsetof(struct fsync_record, dir)

struct journal_wait_record {
	struct record r;
	__u64 start;
	__u32 transaction; // 0 not known
	__u32 what;        // enum journal_wait
	char comm[COMM_LEN];
};

// Sent after the start of a commit.
struct commit_origin_record {
	struct record r;
	__u32 transaction;
	__u32 origin;
	__u32 tgid; // who asked for it, 0 not known
	__u32 tid;
	char comm[COMM_LEN];
	__u32 free; // blocks of the journal, 0 not known
	__u32 size; // likewise
};

// Sent before the end of a commit: struct transaction_run_stats_s. The times are
// jiffies, and so is the clock that says what these are.
struct commit_stats_record {
	struct record r;
	__u32 transaction;
	__u32 handles;
	__u32 blocks;
	__u32 logged;
	__u64 jiffies; // jiffies_64 at r.at
	__u32 wait;
	__u32 request_delay;
	__u32 running;
	__u32 locked;
	__u32 flushing;
	__u32 logging;
};

struct fast_commit_record {
	struct record r;
	__u64 start;
	__u32 transaction; // 0 not known
	__u32 blocks;
	__s32 status; // of ext4_fc_commit_stop, 0 success
	__u32 pad;
	char comm[COMM_LEN];
};

struct log_force_record {
	struct record r;
	__u64 start;
	__u32 flags; // XFS_LOG_SYNC
	__u32 pad;
	char comm[COMM_LEN];
};

// One request to a disk; dev is the disk's, tgid and tid are who issued it.
struct block_io_record {
	struct record r;
	__u64 start;
	__u64 sector;
	__u32 bytes;
	__u32 op; // REQ_OP_*
	__s32 error;
	__u32 pad;
	char comm[COMM_LEN];
};

// A Java thread has begun to run; it is the thread of the record.
struct thread_start_record {
	struct record r;
	__s64 thread; // Java's thread id
	char name[THREAD_NAME_MAX]; // the tail
};

#define THREAD_START_FIXED __builtin_offsetof(struct thread_start_record, name)

// A thread was parked (LockSupport.park); at is when it ran on.
struct park_record {
	struct record r;
	__u64 start;
	__u64 woken; // when it was given the permit, or could run again; 0 not seen
	__u32 waker; // the thread that did that, 0 not seen
	__u32 futex; // what it slept on: of its address the bits from the fourth on
	char comm[COMM_LEN];
};

// An operation of the VM's own thread, or a GC; at is its end.
struct vm_record {
	struct record r;
	__u64 start;
	char name[VM_NAME_MAX]; // the tail; of a GC none
};

#define VM_FIXED __builtin_offsetof(struct vm_record, name)

#define MONITOR_FIXED __builtin_offsetof(struct monitor_record, class)

_Static_assert(sizeof(struct record) == 24, "record");
_Static_assert(WRITE_FIXED == 160, "write_record");
_Static_assert(sizeof(struct dirty_inode_record) == 56, "dirty_inode_record");
_Static_assert(sizeof(struct journal_record) == 32, "journal_record");
_Static_assert(MONITOR_FIXED == 56, "monitor_record");
_Static_assert(OFFCPU_FIXED == 56, "offcpu_record");
_Static_assert(SAMPLE_FIXED == 40, "sample_record");
_Static_assert(FSYNC_FIXED == 104, "fsync_record");
_Static_assert(sizeof(struct journal_wait_record) == 56, "journal_wait_record");
_Static_assert(sizeof(struct commit_origin_record) == 64, "commit_origin_record");
_Static_assert(sizeof(struct commit_stats_record) == 72, "commit_stats_record");
_Static_assert(sizeof(struct fast_commit_record) == 64, "fast_commit_record");
_Static_assert(sizeof(struct log_force_record) == 56, "log_force_record");
_Static_assert(sizeof(struct block_io_record) == 72, "block_io_record");
_Static_assert(THREAD_START_FIXED == 32, "thread_start_record");
_Static_assert(sizeof(struct park_record) == 64, "park_record");
_Static_assert(VM_FIXED == 32, "vm_record");
