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
	KIND_COUNT,
};

#define COMM_LEN 16
#define SEGMENT_LEN 24 // 20 digits and ".log"
#define BATCH_HEAD 61  // a record batch's header, format 2
#define BATCH_MAGIC 16 // where its magic byte stands
#define DIR_MAX 255    // NAME_MAX
#define CLASS_MAX 80

enum { // flags of a write
	WRITE_BATCH = 1,  // head holds a record batch's header
	WRITE_UNREAD = 2, // the buffer could not be read
};

enum { // flags of a monitor record
	MONITOR_CUT = 1, // the class name was longer than CLASS_MAX
};

struct record {
	__u8 kind;
	__u8 version;
	__u8 flags;
	__u8 tail; // bytes that follow the fixed part
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

#define MONITOR_FIXED __builtin_offsetof(struct monitor_record, class)

_Static_assert(sizeof(struct record) == 24, "record");
_Static_assert(WRITE_FIXED == 160, "write_record");
_Static_assert(sizeof(struct dirty_inode_record) == 56, "dirty_inode_record");
_Static_assert(sizeof(struct journal_record) == 32, "journal_record");
_Static_assert(MONITOR_FIXED == 56, "monitor_record");
