// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The file system's dirty_inode operation inside a traced write: the function
// itself, or the writeback pair, which brackets exactly s_op->dirty_inode
// (fs/fs-writeback.c, __mark_inode_dirty).
#pragma once

#include "write.h"

static __always_inline struct thread *find_writer(void)
{
	struct thread *t = find_thread(bpf_get_current_pid_tgid());
	return t && t->writing ? t : 0;
}

// An operation inside another (a quota file's inside the file's own) is part of
// the outer one.
static __always_inline int begin_dirty(struct thread *t, __u64 ino, __u32 dev)
{
	if (t->dirty_depth++)
		return 0;
	t->dirty_ino = ino;
	t->dirty_dev = dev;
	t->dirty_start = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int dirty_inode(struct thread *t, struct inode *inode)
{
	struct super_block *super = GET(inode, i_sb);
	return begin_dirty(t, GET(inode, i_ino), GET(super, s_dev));
}

static __always_inline int end_dirty(void)
{
	struct thread *t = find_writer();
	if (!t || !t->dirty_depth || --t->dirty_depth)
		return 0;

	struct dirty_inode_record rec = {};
	begin(&rec.r, KIND_DIRTY_INODE, bpf_get_current_pid_tgid(), bpf_ktime_get_ns());
	rec.r.dev = t->dirty_dev;
	rec.start = t->dirty_start;
	rec.ino = t->dirty_ino;
	read_comm(rec.comm);
	emit(&rec, sizeof(rec), KIND_DIRTY_INODE);
	return 0;
}

SEC("fentry/ext4_dirty_inode")
int fentry_dirty_inode(__u64 *ctx)
{
	struct thread *t = find_writer();
	return t ? dirty_inode(t, (struct inode *)ctx[0]) : 0;
}

SEC("fexit/ext4_dirty_inode")
int fexit_dirty_inode(void *ctx)
{
	(void)ctx;
	return end_dirty();
}

SEC("tp_btf/writeback_dirty_inode_start")
int btf_dirty_inode_start(__u64 *ctx)
{
	struct thread *t = find_writer();
	return t ? dirty_inode(t, (struct inode *)ctx[0]) : 0;
}

SEC("tp_btf/writeback_dirty_inode")
int btf_dirty_inode_end(void *ctx)
{
	(void)ctx;
	return end_dirty();
}

// Where the inode's number stands in the event, from tracefs. The event has no
// device but the disk's: it is the written file's where the inode is.
const volatile __u32 dirty_start_ino;

SEC("tracepoint/writeback/writeback_dirty_inode_start")
int dirty_inode_start(void *ctx)
{
	struct thread *t = find_writer();
	__u64 ino = 0;
	if (!t)
		return 0;
	bpf_probe_read_kernel(&ino, sizeof(ino), ctx + dirty_start_ino);
	return begin_dirty(t, ino, ino == t->w.ino ? t->w.r.dev : 0);
}

SEC("tracepoint/writeback/writeback_dirty_inode")
int dirty_inode_end(void *ctx)
{
	(void)ctx;
	return end_dirty();
}

SEC("kprobe/ext4_dirty_inode")
int kprobe_dirty_inode(struct pt_regs *ctx)
{
	struct thread *t = find_writer();
	return t ? dirty_inode(t, POINTER(struct inode, ARGUMENT_1(ctx))) : 0;
}

SEC("kretprobe/ext4_dirty_inode")
int kretprobe_dirty_inode(void *ctx)
{
	(void)ctx;
	return end_dirty();
}
