// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// What is remembered of a thread that writes segments or waits for monitors. An
// entry is made once and lives as long as its thread; but for its waker only the
// thread itself writes to it.
#pragma once

#include "ring.h"

struct thread {
	__u8 writing; // a write is under way
	__u8 worked;  // it wrote or waited since its last wake-up of another
	__u8 dirty_depth; // how many dirty_inodes run, one within the other
	__u8 syncing;     // an fsync is under way
	__u32 dirty_dev; // of the outermost, 0 not known
	__u64 dirty_start;
	__u64 dirty_ino;
	// The write under way. It is filled at the entry, for the buffer, the
	// position and the names may be others at the exit; there it only is
	// completed and sent.
	struct write_record w;
	__u64 wait_start; // when it began to wait for the journal, as far as is known
	__u64 wait_of;    // the journal, of kprobes
	__u64 sync_of;    // by what the end of the fsync under way is known
	struct fsync_record f;
	// The park under way (park.h), none where it has no start; of it whoever
	// wakes the thread writes the waker, while that is asleep.
	struct park_record p;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); // tid
	__type(value, struct thread);
} threads SEC(".maps");

static const struct thread blank;

// The processes of which a thread has been remembered: a byte for each, by the
// last six bits of its number. What meets threads of the whole host asks this
// first, for it costs a load. No bits of one word: before 5.12 (on arm64 5.18) a
// program that sets one atomically does not load, whether it gets there or not
// (981f94c3e921 "bpf: Add bitwise atomic instructions").
__u8 processes[64] SEC(".data.tgids");

static __always_inline int is_known(__u32 tgid)
{
	return processes[tgid & 63];
}

static __always_inline struct thread *find_thread(__u32 tid)
{
	return bpf_map_lookup_elem(&threads, &tid);
}

// The thread's entry, made if need be; 0 when there is no room for it.
static __always_inline struct thread *remember_thread(__u64 pid_tgid)
{
	__u32 tid = pid_tgid;
	struct thread *t = find_thread(tid);

	if (!t) {
		processes[pid_tgid >> 32 & 63] = 1;
		bpf_map_update_elem(&threads, &tid, &blank, BPF_NOEXIST);
		t = find_thread(tid);
	}
	if (t)
		t->w.r.tgid = pid_tgid >> 32; // by which Untrace finds it
	return t;
}

static __always_inline int forget_thread(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&threads, &tid);
	return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int thread_exit(void *ctx)
{
	(void)ctx;
	return forget_thread();
}

SEC("tp_btf/sched_process_exit")
int btf_thread_exit(void *ctx)
{
	(void)ctx;
	return forget_thread();
}
