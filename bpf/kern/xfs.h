// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Forces of the log of XFS (fs/xfs/xfs_log.c), on watched devices, whoever makes
// them. Its tracepoint tells the start alone.
#pragma once

#include "inside.h"
#include "journal.h"

// Shorter forces are left out.
const volatile __u64 slow_force; // ns

struct force {
	__u64 start;
	__u32 dev;
	__u32 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); // tid
	__type(value, struct force);
} forces SEC(".maps");

static __always_inline int begin_force(__u32 dev, __u32 flags)
{
	if (!bpf_map_lookup_elem(&devices, &dev))
		return 0;
	__u32 tid = bpf_get_current_pid_tgid();
	struct force f = { .start = bpf_ktime_get_ns(), .dev = dev, .flags = flags };
	bpf_map_update_elem(&forces, &tid, &f, BPF_ANY);
	return 0;
}

static __always_inline int force_log(struct xfs_mount *mount, __u32 flags)
{
	return begin_force(mount->m_super->s_dev, flags);
}

// No bare pointer can be cast to a type that is a module's.
static __always_inline int force_bare(__u64 mount, __u32 flags)
{
	return begin_force(BPF_CORE_READ((struct xfs_mount *)mount, m_super, s_dev), flags);
}

static __always_inline int end_force(void)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tid = pid_tgid;
	struct force *f = bpf_map_lookup_elem(&forces, &tid);
	if (!f)
		return 0;

	struct log_force_record rec = {};
	begin(&rec.r, KIND_LOG_FORCE, pid_tgid, bpf_ktime_get_ns());
	rec.r.dev = f->dev;
	rec.start = f->start;
	rec.flags = f->flags;
	bpf_map_delete_elem(&forces, &tid);
	if (rec.r.at - rec.start < slow_force)
		return 0;
	read_comm(rec.comm);
	emit(&rec, sizeof(rec), KIND_LOG_FORCE);
	return 0;
}

// (mount, flags)
SEC("fentry/xfs_log_force")
int fentry_log_force(__u64 *ctx)
{
	return force_log((void *)ctx[0], ctx[1]);
}

SEC("fexit/xfs_log_force")
int fexit_log_force(void *ctx)
{
	(void)ctx;
	return end_force();
}

// (mount, seq, flags, log_flushed)
SEC("fentry/xfs_log_force_seq")
int fentry_log_force_seq(__u64 *ctx)
{
	return force_log((void *)ctx[0], ctx[2]);
}

SEC("fexit/xfs_log_force_seq")
int fexit_log_force_seq(void *ctx)
{
	(void)ctx;
	return end_force();
}

SEC("kprobe/xfs_log_force")
int kprobe_log_force(struct pt_regs *ctx)
{
	return force_bare(ARGUMENT_1(ctx), ARGUMENT_2(ctx));
}

SEC("kretprobe/xfs_log_force")
int kretprobe_log_force(void *ctx)
{
	(void)ctx;
	return end_force();
}

SEC("kprobe/xfs_log_force_seq")
int kprobe_log_force_seq(struct pt_regs *ctx)
{
	return force_bare(ARGUMENT_1(ctx), ARGUMENT_3(ctx));
}

SEC("kretprobe/xfs_log_force_seq")
int kretprobe_log_force_seq(void *ctx)
{
	(void)ctx;
	return end_force();
}

// Without BTF of the module (before 5.11) a mount leads to no device: then those
// are seen that a traced write or fsync waits for.
static __always_inline int force_inside(__u32 flags)
{
	struct thread *t = find_thread(bpf_get_current_pid_tgid());
	if (!t || !is_inside(t))
		return 0;
	return begin_force(t->writing ? t->w.r.dev : t->f.r.dev, flags);
}

SEC("kprobe/xfs_log_force")
int kprobe_log_force_inside(struct pt_regs *ctx)
{
	return force_inside(ARGUMENT_2(ctx));
}

SEC("kprobe/xfs_log_force_seq")
int kprobe_log_force_seq_inside(struct pt_regs *ctx)
{
	return force_inside(ARGUMENT_3(ctx));
}

// What xfs_log_force_seq was until 5.14, or its like among the older ones.
SEC("kprobe/xfs_log_force_lsn")
int kprobe_log_force_lsn(struct pt_regs *ctx)
{
	return force_inside(ARGUMENT_3(ctx));
}

SEC("kretprobe/xfs_log_force_lsn")
int kretprobe_log_force_lsn(void *ctx)
{
	(void)ctx;
	return end_force();
}
