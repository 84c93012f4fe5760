// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The file system's dirty_inode operation inside a traced write: the writeback
// pair brackets exactly s_ot->dirty_inode (fs/fs-writeback.c,
// __mark_inode_dirty). It says the inode, not the device.
#pragma once

#include "write.h"

// Where the inode's number stands in each event, from tracefs.
const volatile __u32 dirty_start_ino;
const volatile __u32 dirty_end_ino;

static __always_inline struct thread *find_writer(__u32 tid)
{
	struct thread *t = find_thread(tid);
	return t && t->writing ? t : 0;
}

static __always_inline __u64 field64(void *ctx, __u32 offset)
{
	__u64 v = 0;
	bpf_probe_read_kernel(&v, sizeof(v), ctx + offset);
	return v;
}

// An operation inside another (a quota file's inside the file's own) is part
// of the outer one.
SEC("tracepoint/writeback/writeback_dirty_inode_start")
int dirty_inode_start(void *ctx)
{
	struct thread *t = find_writer(bpf_get_current_pid_tgid());
	if (!t || t->dirty_start)
		return 0;
	t->dirty_ino = field64(ctx, dirty_start_ino);
	t->dirty_start = bpf_ktime_get_ns();
	return 0;
}

SEC("tracepoint/writeback/writeback_dirty_inode")
int dirty_inode_end(void *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct thread *t = find_writer(pid_tgid);
	if (!t || !t->dirty_start)
		return 0;
	__u64 now = bpf_ktime_get_ns();
	if (field64(ctx, dirty_end_ino) != t->dirty_ino)
		return 0;

	struct dirty_inode_record rec = {};
	begin(&rec.r, KIND_DIRTY_INODE, pid_tgid, now);
	if (t->dirty_ino == t->w.ino)
		rec.r.dev = t->w.r.dev;
	rec.start = t->dirty_start;
	rec.ino = t->dirty_ino;
	read_comm(rec.comm);
	t->dirty_start = 0;
	emit(&rec, sizeof(rec), KIND_DIRTY_INODE);
	return 0;
}
