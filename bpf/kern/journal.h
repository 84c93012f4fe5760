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

// Where dev and transaction stand in each phase's event, from tracefs: fields
// move between kernels.
const volatile __u32 journal_dev[PHASE_COUNT];
const volatile __u32 journal_transaction[PHASE_COUNT];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); // MAJOR << 20 | MINOR
	__type(value, __u8);
} devices SEC(".maps");

static __always_inline __u32 field32(void *ctx, __u32 offset)
{
	__u32 v = 0;
	bpf_probe_read_kernel(&v, sizeof(v), ctx + offset);
	return v;
}

static __always_inline int commit(void *ctx, enum phase phase)
{
	__u32 dev = field32(ctx, journal_dev[phase]);
	if (!bpf_map_lookup_elem(&devices, &dev))
		return 0;

	struct journal_record rec = {};
	begin(&rec.r, KIND_JOURNAL, bpf_get_current_pid_tgid(), bpf_ktime_get_ns());
	rec.r.dev = dev;
	rec.transaction = field32(ctx, journal_transaction[phase]);
	rec.phase = phase;
	emit(&rec, sizeof(rec), KIND_JOURNAL);
	return 0;
}

SEC("tracepoint/jbd2/jbd2_start_commit")
int commit_start(void *ctx)
{
	return commit(ctx, PHASE_START);
}

SEC("tracepoint/jbd2/jbd2_commit_locking")
int commit_locking(void *ctx)
{
	return commit(ctx, PHASE_LOCKING);
}

SEC("tracepoint/jbd2/jbd2_commit_flushing")
int commit_flushing(void *ctx)
{
	return commit(ctx, PHASE_FLUSHING);
}

SEC("tracepoint/jbd2/jbd2_commit_logging")
int commit_logging(void *ctx)
{
	return commit(ctx, PHASE_LOGGING);
}

SEC("tracepoint/jbd2/jbd2_end_commit")
int commit_end(void *ctx)
{
	return commit(ctx, PHASE_END);
}
