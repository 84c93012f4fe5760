// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The phases of a jbd2 commit (fs/jbd2/commit.c), on watched devices only.
// They run on the journal's own kernel thread: no tgid filter here.
#pragma once

#include "ring.h"

enum phase {
	PHASE_START = 1,
	PHASE_LOCKING,
	PHASE_FLUSHING,
	PHASE_LOGGING,
	PHASE_END,
	PHASE_COUNT,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); // MAJOR << 20 | MINOR
	__type(value, __u8);
} devices SEC(".maps");

static __always_inline int commit(__u32 dev, __u32 transaction, enum phase phase)
{
	if (!bpf_map_lookup_elem(&devices, &dev))
		return 0;

	struct journal_record rec = {};
	begin(&rec.r, KIND_JOURNAL, bpf_get_current_pid_tgid(), bpf_ktime_get_ns());
	rec.r.dev = dev;
	rec.transaction = transaction;
	rec.phase = phase;
	emit(&rec, sizeof(rec), KIND_JOURNAL);
	return 0;
}

static __always_inline __u32 device_of(struct journal_s *journal)
{
	struct block_device *device = GET(journal, j_fs_dev);
	return GET(device, bd_dev);
}

// The function has a running transaction at its start, and notes which one it
// committed before its end.
static __always_inline int commit_begins(struct journal_s *journal)
{
	struct transaction_s *running = GET(journal, j_running_transaction);
	return commit(device_of(journal), GET(running, t_tid), PHASE_START);
}

static __always_inline int commit_ends(struct journal_s *journal)
{
	return commit(device_of(journal), GET(journal, j_commit_sequence), PHASE_END);
}

SEC("fentry/jbd2_journal_commit_transaction")
int fentry_commit(__u64 *ctx)
{
	return commit_begins((struct journal_s *)ctx[0]);
}

SEC("fexit/jbd2_journal_commit_transaction")
int fexit_commit(__u64 *ctx)
{
	return commit_ends((struct journal_s *)ctx[0]);
}

// The tracepoints' arguments: journal, transaction.
static __always_inline int btf_commit(__u64 *ctx, enum phase phase)
{
	struct transaction_s *transaction = (struct transaction_s *)ctx[1];
	return commit(device_of((struct journal_s *)ctx[0]), GET(transaction, t_tid), phase);
}

SEC("tp_btf/jbd2_start_commit")
int btf_commit_start(__u64 *ctx)
{
	return btf_commit(ctx, PHASE_START);
}

SEC("tp_btf/jbd2_commit_locking")
int btf_commit_locking(__u64 *ctx)
{
	return btf_commit(ctx, PHASE_LOCKING);
}

SEC("tp_btf/jbd2_commit_flushing")
int btf_commit_flushing(__u64 *ctx)
{
	return btf_commit(ctx, PHASE_FLUSHING);
}

SEC("tp_btf/jbd2_commit_logging")
int btf_commit_logging(__u64 *ctx)
{
	return btf_commit(ctx, PHASE_LOGGING);
}

SEC("tp_btf/jbd2_end_commit")
int btf_commit_end(__u64 *ctx)
{
	return btf_commit(ctx, PHASE_END);
}

// Where dev and transaction stand in each phase's event, from tracefs: fields
// move between kernels.
const volatile __u32 journal_dev[PHASE_COUNT];
const volatile __u32 journal_transaction[PHASE_COUNT];

static __always_inline int event_commit(void *ctx, enum phase phase)
{
	return commit(field32(ctx, journal_dev[phase]), field32(ctx, journal_transaction[phase]), phase);
}

SEC("tracepoint/jbd2/jbd2_start_commit")
int commit_start(void *ctx)
{
	return event_commit(ctx, PHASE_START);
}

SEC("tracepoint/jbd2/jbd2_commit_locking")
int commit_locking(void *ctx)
{
	return event_commit(ctx, PHASE_LOCKING);
}

SEC("tracepoint/jbd2/jbd2_commit_flushing")
int commit_flushing(void *ctx)
{
	return event_commit(ctx, PHASE_FLUSHING);
}

SEC("tracepoint/jbd2/jbd2_commit_logging")
int commit_logging(void *ctx)
{
	return event_commit(ctx, PHASE_LOGGING);
}

SEC("tracepoint/jbd2/jbd2_end_commit")
int commit_end(void *ctx)
{
	return event_commit(ctx, PHASE_END);
}

// The journal whose commit a thread is at: a kretprobe does not see arguments.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); // tid
	__type(value, __u64);
} committing SEC(".maps");

SEC("kprobe/jbd2_journal_commit_transaction")
int kprobe_commit(struct pt_regs *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 journal = ARGUMENT_1(ctx);

	bpf_map_update_elem(&committing, &tid, &journal, 0);
	return commit_begins(POINTER(struct journal_s, journal));
}

SEC("kretprobe/jbd2_journal_commit_transaction")
int kretprobe_commit(void *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 *journal = bpf_map_lookup_elem(&committing, &tid);

	(void)ctx;
	if (!journal)
		return 0;
	int ret = commit_ends(POINTER(struct journal_s, *journal));
	bpf_map_delete_elem(&committing, &tid);
	return ret;
}
