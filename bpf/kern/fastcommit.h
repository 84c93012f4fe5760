// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Fast commits of ext4 (fs/ext4/fast_commit.c), on watched devices: they run on
// the thread whose fsync needs one. Before 6.1 their events do not say the
// transaction.
#pragma once

#include "journal.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);   // tid
	__type(value, __u64); // when its fast commit began
} fast_commits SEC(".maps");

static __always_inline int begin_fast(__u32 dev)
{
	if (!bpf_map_lookup_elem(&devices, &dev))
		return 0;
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_ns();
	bpf_map_update_elem(&fast_commits, &tid, &now, BPF_ANY);
	return 0;
}

static __always_inline int end_fast(__u32 dev, __u32 transaction, __u32 blocks, __s32 status)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tid = pid_tgid;
	__u64 *start = bpf_map_lookup_elem(&fast_commits, &tid);
	if (!start)
		return 0;

	struct fast_commit_record rec = {};
	begin(&rec.r, KIND_FAST_COMMIT, pid_tgid, bpf_ktime_get_ns());
	rec.r.dev = dev;
	rec.start = *start;
	rec.transaction = transaction;
	rec.blocks = blocks;
	rec.status = status;
	read_comm(rec.comm);
	bpf_map_delete_elem(&fast_commits, &tid);
	emit(&rec, sizeof(rec), KIND_FAST_COMMIT);
	return 0;
}

SEC("tp_btf/ext4_fc_commit_start")
int btf_fast_start(__u64 *ctx)
{
	struct super_block *super = (void *)ctx[0];
	return begin_fast(super->s_dev);
}

// (sb, nblks, reason, tid)
SEC("tp_btf/ext4_fc_commit_stop")
int btf_fast_stop(__u64 *ctx)
{
	struct super_block *super = (void *)ctx[0];
	return end_fast(super->s_dev, ctx[3], ctx[1], ctx[2]);
}

SEC("tp_btf/ext4_fc_commit_stop")
int btf_fast_stop_before_6_1(__u64 *ctx)
{
	struct super_block *super = (void *)ctx[0];
	return end_fast(super->s_dev, 0, ctx[1], ctx[2]);
}

// Where the fields of both events stand, from tracefs; fast_tid may be nowhere.
const volatile __u32 fast_start_dev, fast_stop_dev, fast_nblks, fast_reason, fast_tid;

SEC("tracepoint/ext4/ext4_fc_commit_start")
int fast_start(void *ctx)
{
	return begin_fast(field32(ctx, fast_start_dev));
}

SEC("tracepoint/ext4/ext4_fc_commit_stop")
int fast_stop(void *ctx)
{
	__u32 transaction = fast_tid ? field32(ctx, fast_tid) : 0;
	return end_fast(field32(ctx, fast_stop_dev), transaction, field32(ctx, fast_nblks), field32(ctx, fast_reason));
}
