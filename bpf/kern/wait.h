// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// What a thread inside a traced write or fsync waits for to join a transaction
// of its file system: a handle of jbd2 (fs/jbd2/transaction.c), room in the log
// of XFS (fs/xfs/xfs_log.c). The tracepoints fire a few times a write, the
// functions only where there is something to wait for.
#pragma once

#include "inside.h"
#include "journal.h"

// Shorter waits are left out.
const volatile __u64 slow_wait; // ns

static __always_inline struct thread *find_inside(void)
{
	struct thread *t = find_thread(bpf_get_current_pid_tgid());
	return t && is_inside(t) ? t : 0;
}

static __always_inline int begin_wait(void)
{
	struct thread *t = find_inside();
	if (t)
		t->wait_start = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int end_wait(struct thread *t, enum journal_wait what, __u32 dev, __u32 transaction)
{
	__u64 now = bpf_ktime_get_ns(), start = t->wait_start;

	t->wait_start = 0;
	if (!start || now - start < slow_wait)
		return 0;
	// What began before the write or the fsync was another's.
	if (start < (t->writing ? t->w.start : t->f.start))
		return 0;
	struct journal_wait_record rec = {};
	begin(&rec.r, KIND_JOURNAL_WAIT, bpf_get_current_pid_tgid(), now);
	rec.r.dev = dev;
	rec.start = start;
	rec.transaction = transaction;
	rec.what = what;
	read_comm(rec.comm);
	emit(&rec, sizeof(rec), KIND_JOURNAL_WAIT);
	return 0;
}

// The transaction that is joined after it is the one that runs then, unless it
// has been locked meanwhile, or the next to be begun.
static __always_inline int end_locked(struct journal_s *journal)
{
	struct thread *t = find_inside();
	if (!t)
		return 0;
	struct transaction_s *running = GET(journal, j_running_transaction);
	__u32 next = GET(journal, j_transaction_sequence);
	if (running && GET(running, t_state) == T_RUNNING)
		next = GET(running, t_tid);
	return end_wait(t, WAIT_HANDLE, device_of(journal), next);
}

// Of the journal's waits only that for reserved credits is not in these two.
SEC("fentry/wait_transaction_locked")
int fentry_wait_locked(void *ctx)
{
	(void)ctx;
	return begin_wait();
}

SEC("fexit/wait_transaction_locked")
int fexit_wait_locked(__u64 *ctx)
{
	return end_locked((void *)ctx[0]);
}

SEC("fentry/__jbd2_log_wait_for_space")
int fentry_wait_space(void *ctx)
{
	(void)ctx;
	return begin_wait();
}

SEC("fexit/__jbd2_log_wait_for_space")
int fexit_wait_space(__u64 *ctx)
{
	return end_locked((void *)ctx[0]);
}

static __always_inline int kprobe_wait(struct pt_regs *ctx)
{
	struct thread *t = find_inside();
	if (!t)
		return 0;
	t->wait_of = ARGUMENT_1(ctx);
	t->wait_start = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int kretprobe_wait(void)
{
	struct thread *t = find_inside();
	return t && t->wait_start ? end_locked(POINTER(struct journal_s, t->wait_of)) : 0;
}

SEC("kprobe/wait_transaction_locked")
int kprobe_wait_locked(struct pt_regs *ctx)
{
	return kprobe_wait(ctx);
}

SEC("kretprobe/wait_transaction_locked")
int kretprobe_wait_locked(void *ctx)
{
	(void)ctx;
	return kretprobe_wait();
}

SEC("kprobe/__jbd2_log_wait_for_space")
int kprobe_wait_space(struct pt_regs *ctx)
{
	return kprobe_wait(ctx);
}

SEC("kretprobe/__jbd2_log_wait_for_space")
int kretprobe_wait_space(void *ctx)
{
	(void)ctx;
	return kretprobe_wait();
}

// ext4 asks for a handle. What gets none of its own, for the thread has one, is
// overwritten by the next.
SEC("tp_btf/ext4_journal_start_sb")
int btf_ask_handle_sb(void *ctx)
{
	(void)ctx;
	return begin_wait();
}

SEC("tp_btf/ext4_journal_start_inode")
int btf_ask_handle_inode(void *ctx)
{
	(void)ctx;
	return begin_wait();
}

// Until 6.2 one event for both.
SEC("tp_btf/ext4_journal_start")
int btf_ask_handle(void *ctx)
{
	(void)ctx;
	return begin_wait();
}

// (dev, tid, type, line_no, requested_blocks)
SEC("tp_btf/jbd2_handle_start")
int btf_have_handle(__u64 *ctx)
{
	struct thread *t = find_inside();
	return t ? end_wait(t, WAIT_HANDLE, ctx[0], ctx[1]) : 0;
}

SEC("tracepoint/ext4/ext4_journal_start")
int ask_handle(void *ctx)
{
	(void)ctx;
	return begin_wait();
}

const volatile __u32 handle_dev, handle_tid; // where, in jbd2_handle_start

SEC("tracepoint/jbd2/jbd2_handle_start")
int have_handle(void *ctx)
{
	struct thread *t = find_inside();
	return t ? end_wait(t, WAIT_HANDLE, field32(ctx, handle_dev), field32(ctx, handle_tid)) : 0;
}

// A thread sleeps as often as it has to.
static __always_inline int end_grant(void)
{
	struct thread *t = find_inside();
	return t ? end_wait(t, WAIT_GRANT, t->writing ? t->w.r.dev : t->f.r.dev, 0) : 0;
}

SEC("tp_btf/xfs_log_grant_sleep")
int btf_grant_sleep(void *ctx)
{
	(void)ctx;
	return begin_wait();
}

SEC("tp_btf/xfs_log_grant_wake")
int btf_grant_wake(void *ctx)
{
	(void)ctx;
	return end_grant();
}

SEC("tracepoint/xfs/xfs_log_grant_sleep")
int grant_sleep(void *ctx)
{
	(void)ctx;
	return begin_wait();
}

SEC("tracepoint/xfs/xfs_log_grant_wake")
int grant_wake(void *ctx)
{
	(void)ctx;
	return end_grant();
}
