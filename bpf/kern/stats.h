// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The kernel's own figures of a commit (fs/jbd2/commit.c), on watched devices.
#pragma once

#include "journal.h"

static __always_inline int begin_stats(struct commit_stats_record *rec, __u32 dev, __u32 transaction)
{
	if (!bpf_map_lookup_elem(&devices, &dev))
		return 0;
	begin(&rec->r, KIND_COMMIT_STATS, bpf_get_current_pid_tgid(), bpf_ktime_get_ns());
	rec->jiffies = bpf_jiffies64();
	rec->r.dev = dev;
	rec->transaction = transaction;
	return 1;
}

// (dev, tid, stats)
SEC("tp_btf/jbd2_run_stats")
int btf_commit_stats(__u64 *ctx)
{
	struct transaction_run_stats_s *run = (void *)ctx[2];
	struct commit_stats_record rec = {};

	if (!begin_stats(&rec, ctx[0], ctx[1]))
		return 0;
	rec.handles = run->rs_handle_count;
	rec.blocks = run->rs_blocks;
	rec.logged = run->rs_blocks_logged;
	rec.wait = run->rs_wait;
	rec.request_delay = run->rs_request_delay;
	rec.running = run->rs_running;
	rec.locked = run->rs_locked;
	rec.flushing = run->rs_flushing;
	rec.logging = run->rs_logging;
	emit(&rec, sizeof(rec), KIND_COMMIT_STATS);
	return 0;
}

// Where the fields of the event stand, from tracefs. Those of 8 bytes are read
// by their lower half: no phase of a commit lasts 2^32 jiffies.
enum {
	STATS_DEV,
	STATS_TID,
	STATS_WAIT,
	STATS_REQUEST_DELAY,
	STATS_RUNNING,
	STATS_LOCKED,
	STATS_FLUSHING,
	STATS_LOGGING,
	STATS_HANDLE_COUNT,
	STATS_BLOCKS,
	STATS_BLOCKS_LOGGED,
	STATS_COUNT,
};

const volatile __u32 run_stats[STATS_COUNT];

SEC("tracepoint/jbd2/jbd2_run_stats")
int commit_stats(void *ctx)
{
	struct commit_stats_record rec = {};

	if (!begin_stats(&rec, field32(ctx, run_stats[STATS_DEV]), field32(ctx, run_stats[STATS_TID])))
		return 0;
	rec.handles = field32(ctx, run_stats[STATS_HANDLE_COUNT]);
	rec.blocks = field32(ctx, run_stats[STATS_BLOCKS]);
	rec.logged = field32(ctx, run_stats[STATS_BLOCKS_LOGGED]);
	rec.wait = field32(ctx, run_stats[STATS_WAIT]);
	rec.request_delay = field32(ctx, run_stats[STATS_REQUEST_DELAY]);
	rec.running = field32(ctx, run_stats[STATS_RUNNING]);
	rec.locked = field32(ctx, run_stats[STATS_LOCKED]);
	rec.flushing = field32(ctx, run_stats[STATS_FLUSHING]);
	rec.logging = field32(ctx, run_stats[STATS_LOGGING]);
	emit(&rec, sizeof(rec), KIND_COMMIT_STATS);
	return 0;
}
