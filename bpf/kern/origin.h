// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Who had a commit of jbd2 begun, on watched devices. A transaction notes when
// it was asked for (t_requested, __jbd2_log_start_commit), not by whom: that is
// the thread seen asking, or, where functions are not to be seen, the only one
// that can have.
#pragma once

#include "journal.h"

// Who is inside an fsync, or was last seen in a sync, of a watched device: of
// all processes.
struct forcer {
	__u64 since;
	__u64 jiffies; // likewise
	__u32 dev;
	__u32 origin;
	__u32 tgid;
	__u32 tid;
	char comm[COMM_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); // there is no event at the end of a sync
	__uint(max_entries, 1024);
	__type(key, __u32); // tid
	__type(value, struct forcer);
} forcers SEC(".maps");

// Who asked first for the running transaction of a device.
struct commit_request {
	__u32 transaction;
	__u32 origin;
	__u32 tgid;
	__u32 tid;
	char comm[COMM_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); // dev
	__type(value, struct commit_request);
} commit_requests SEC(".maps");

static __always_inline int note_forcer(struct super_block *super, enum origin origin)
{
	__u32 dev = super->s_dev;
	if (!bpf_map_lookup_elem(&devices, &dev))
		return 0;
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tid = pid_tgid;
	struct forcer f = {
		.since = bpf_ktime_get_ns(),
		.jiffies = bpf_jiffies64(),
		.dev = dev,
		.origin = origin,
		.tgid = pid_tgid >> 32,
		.tid = tid,
	};
	read_comm(f.comm);
	bpf_map_update_elem(&forcers, &tid, &f, BPF_ANY);
	return 0;
}

SEC("tp_btf/ext4_sync_file_enter")
int forcer_fsync(__u64 *ctx)
{
	struct file *file = (void *)ctx[0];
	return note_forcer(file->f_inode->i_sb, ORIGIN_FSYNC);
}

SEC("tp_btf/ext4_sync_file_exit")
int forcer_done(void *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();

	(void)ctx;
	bpf_map_delete_elem(&forcers, &tid);
	return 0;
}

SEC("tp_btf/ext4_sync_fs")
int forcer_sync(__u64 *ctx)
{
	return note_forcer((void *)ctx[0], ORIGIN_SYNC);
}

static __always_inline int is_over(struct transaction_s *t, __u64 jiffies)
{
	return (__s64)(jiffies - t->t_expires) >= 0;
}

// It holds half of what it may, or more.
static __always_inline int is_full(struct journal_s *journal, struct transaction_s *t)
{
	return 2L * t->t_outstanding_credits.counter >= (long)journal->j_max_transaction_buffers;
}

// What else than an fsync or a sync had the transaction committed: its age, its
// size, or too little room in the log for the next one (fs/jbd2/transaction.c,
// jbd2_journal_stop, add_transaction_credits).
static __always_inline enum origin origin_of(struct journal_s *journal, struct transaction_s *t, __u64 asked)
{
	if (is_over(t, asked))
		return ORIGIN_INTERVAL;
	if (is_full(journal, t) || (long)journal->j_free < (long)journal->j_max_transaction_buffers)
		return ORIGIN_SPACE;
	return ORIGIN_UNKNOWN;
}

static __always_inline int ask_commit(struct journal_s *journal, struct transaction_s *running)
{
	__u32 dev = journal->j_fs_dev->bd_dev, transaction = running->t_tid;
	if (!bpf_map_lookup_elem(&devices, &dev) || journal->j_commit_request == transaction)
		return 0;

	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tid = pid_tgid;
	struct forcer *f = bpf_map_lookup_elem(&forcers, &tid);
	struct commit_request r = { .transaction = transaction, .tgid = pid_tgid >> 32, .tid = tid };
	r.origin = f && f->dev == dev && (f->origin == ORIGIN_FSYNC || (__s64)(f->since - running->t_start_time) >= 0)
			   ? f->origin
			   : origin_of(journal, running, bpf_jiffies64());
	read_comm(r.comm);
	bpf_map_update_elem(&commit_requests, &dev, &r, BPF_ANY);
	return 0;
}

// (journal, tid): whoever asks comes by here, if the compiler has not put copies
// of it into its callers.
SEC("fentry/__jbd2_log_start_commit")
int fentry_ask_commit(__u64 *ctx)
{
	struct journal_s *journal = (void *)ctx[0];
	struct transaction_s *running = journal->j_running_transaction;
	return running && running->t_tid == (__u32)ctx[1] ? ask_commit(journal, running) : 0;
}

static __always_inline void begin_origin(struct commit_origin_record *rec, struct journal_s *journal,
					 struct transaction_s *t, __u32 dev)
{
	begin(&rec->r, KIND_COMMIT_ORIGIN, bpf_get_current_pid_tgid(), bpf_ktime_get_ns());
	rec->r.dev = dev;
	rec->transaction = t->t_tid;
	rec->free = journal->j_free;
	rec->size = journal->j_last - journal->j_first;
}

// A transaction that nobody asked for is committed by the journal's own thread
// when its time has come, or at the file system's end.
static __always_inline enum origin unasked(struct transaction_s *t)
{
	return is_over(t, bpf_jiffies64()) ? ORIGIN_INTERVAL : ORIGIN_UNKNOWN;
}

// Fills in who was seen asking.
static __always_inline int find_request(struct commit_origin_record *rec, __u32 dev)
{
	struct commit_request *r = bpf_map_lookup_elem(&commit_requests, &dev);
	if (!r || r->transaction != rec->transaction)
		return 0;
	rec->origin = r->origin;
	if (r->origin == ORIGIN_FSYNC || r->origin == ORIGIN_SYNC) {
		rec->tgid = r->tgid;
		rec->tid = r->tid;
		__builtin_memcpy(rec->comm, r->comm, COMM_LEN);
	}
	return 1;
}

// The walk over those that can have asked.
struct search {
	__u64 begun;    // the transaction, CLOCK_MONOTONIC
	__u64 asked;    // for it, jiffies
	__u32 dev;
	__u32 fsyncs;
	__u32 syncs;
	__u32 tgid; // of the last found
	__u32 tid;
	char comm[COMM_LEN];
};

static long consider(void *map, __u32 *tid, struct forcer *f, struct search *s)
{
	(void)map;
	(void)tid;
	if (f->dev != s->dev || (__s64)(s->asked - f->jiffies) < 0)
		return 0;
	if (f->origin == ORIGIN_FSYNC)
		s->fsyncs++;
	else if ((__s64)(f->since - s->begun) >= 0)
		s->syncs++;
	else
		return 0;
	s->tgid = f->tgid;
	s->tid = f->tid;
	__builtin_memcpy(s->comm, f->comm, COMM_LEN);
	return 0;
}

static __always_inline void search_forcer(struct commit_origin_record *rec, struct journal_s *journal,
					  struct transaction_s *t, __u32 dev)
{
	struct search s = { .begun = t->t_start_time, .asked = t->t_requested, .dev = dev };

	bpf_for_each_map_elem(&forcers, consider, &s, 0);
	if (!s.fsyncs && !s.syncs)
		rec->origin = origin_of(journal, t, s.asked);
	else if (!is_over(t, s.asked) && !is_full(journal, t) && !(s.fsyncs && s.syncs))
		rec->origin = s.fsyncs ? ORIGIN_FSYNC : ORIGIN_SYNC;
	if ((rec->origin == ORIGIN_FSYNC || rec->origin == ORIGIN_SYNC) && s.fsyncs + s.syncs == 1) {
		rec->tgid = s.tgid;
		rec->tid = s.tid;
		__builtin_memcpy(rec->comm, s.comm, COMM_LEN);
	}
}

static __always_inline int commit_origin(__u64 *ctx, int search)
{
	struct journal_s *journal = (void *)ctx[0];
	struct transaction_s *t = (void *)ctx[1];
	__u32 dev = journal->j_fs_dev->bd_dev;
	if (!bpf_map_lookup_elem(&devices, &dev))
		return 0;

	struct commit_origin_record rec = {};
	begin_origin(&rec, journal, t, dev);
	if (!t->t_requested)
		rec.origin = unasked(t);
	else if (!find_request(&rec, dev) && search)
		search_forcer(&rec, journal, t, dev);
	emit(&rec, sizeof(rec), KIND_COMMIT_ORIGIN);
	return 0;
}

// Before 5.13 no program can walk over a map.
SEC("tp_btf/jbd2_commit_locking")
int origin_seen(__u64 *ctx)
{
	return commit_origin(ctx, 0);
}

SEC("tp_btf/jbd2_commit_locking")
int origin_found(__u64 *ctx)
{
	return commit_origin(ctx, 1);
}
