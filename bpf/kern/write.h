// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Writes to log segments, and the wake-ups between a broker's threads: both are
// write(2), told apart by what the descriptor is.
#pragma once

#include "ring.h"

// A write under way. It is made at the entry, for the buffer, the position and
// the names may be others at the exit, and it is the record itself but for the
// last fields, so that the exit only completes and copies it.
struct pending {
	struct write_record w;
	__u64 dirty_start; // of the dirty_inode that runs now, 0 for none
	__u64 dirty_ino;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); // tid
	__type(value, struct pending);
} writes SEC(".maps");

// Where a pending write is put together: it is too big for the stack. System
// call tracepoints run programs with preemption off and never nested.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pending);
} draft SEC(".maps");

static __always_inline struct file *file_of(__u32 fd)
{
	struct task_struct *task = current_task();
	struct files_struct *files = GET(task, files);
	struct fdtable *table = GET(files, fdt);
	struct file *file = 0;

	if (fd >= GET(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), GET(table, fd) + fd);
	return typed_file(file);
}

static __always_inline void read_head(struct write_record *w, __u64 buf, __u64 count)
{
	w->r.flags = 0;
	if (count < BATCH_HEAD)
		goto none;
	if (bpf_probe_read_user(w->head, BATCH_HEAD, (void *)buf)) {
		w->r.flags = WRITE_UNREAD;
		goto none;
	}
	if (w->head[BATCH_MAGIC] != 2)
		goto none;
	w->r.flags = WRITE_BATCH;
	return;
none:
	__builtin_memset(w->head, 0, BATCH_HEAD);
}

static __always_inline int is_segment(const char *name)
{
	return name[20] == '.' && name[21] == 'l' && name[22] == 'o' && name[23] == 'g';
}

// Follows a descriptor to its file if that is a segment's, and drafts the
// record of a write to it. pos < 0: at the file's own position.
static __always_inline struct pending *draft_write(struct file *file, struct inode *inode,
						   struct dentry *dentry, const unsigned char *name,
						   __s64 pos)
{
	__u32 zero = 0;
	struct pending *p = bpf_map_lookup_elem(&draft, &zero);
	if (!p)
		return 0;
	struct write_record *w = &p->w;
	if (bpf_probe_read_kernel(w->name, SEGMENT_LEN, name) || !is_segment(w->name))
		return 0;

	struct dentry *parent = GET(dentry, d_parent);
	const unsigned char *dir = GET(parent, d_name.name);
	long n = bpf_probe_read_kernel_str(w->dir, sizeof(w->dir), dir);
	w->r.tail = n > 1 ? n - 1 : 0;
	struct super_block *super = GET(inode, i_sb);
	w->r.dev = GET(super, s_dev);
	w->ino = GET(inode, i_ino);
	w->offset = pos < 0 ? GET(file, f_pos) : pos;
	p->dirty_start = 0;
	return p;
}

static __always_inline int is_eventfd(const unsigned char *name)
{
	char b[9] = {};
	bpf_probe_read_kernel(b, sizeof(b), name);
	return b[0] == '[' && b[1] == 'e' && b[2] == 'v' && b[3] == 'e' && b[4] == 'n' &&
	       b[5] == 't' && b[6] == 'f' && b[7] == 'd' && b[8] == ']';
}

static __always_inline int wake(__u64 pid_tgid)
{
	struct wake_record rec = {};
	begin(&rec.r, KIND_WAKE, pid_tgid, bpf_ktime_get_ns());
	emit(&rec, sizeof(rec), KIND_WAKE);
	return 0;
}

// The start of any of the four calls. bytes is what write(2) and pwrite64(2)
// were asked to write, 0 where it does not matter (no wake-up looks like that).
static __always_inline struct pending *enter(__u64 pid_tgid, __u32 fd, __s64 pos, __u64 bytes)
{
	struct file *file = file_of(fd);
	if (!file)
		return 0;
	struct inode *inode = GET(file, f_inode);
	__u32 type = GET(inode, i_mode) & S_IFMT;

	if (type == S_IFSOCK)
		return 0;
	if (type == S_IFIFO) { // a JDK before 16 wakes a selector by one byte in a pipe
		if (bytes == 1)
			wake(pid_tgid);
		return 0;
	}
	struct dentry *dentry = GET(file, f_path.dentry);
	const unsigned char *name = GET(dentry, d_name.name);
	__u32 len = GET(dentry, d_name.len);
	if (len == SEGMENT_LEN && type == S_IFREG)
		return draft_write(file, inode, dentry, name, pos);
	// An anonymous inode is a regular file since 6.16, without a type before
	// (cfd86ef7e8e7 "anon_inode: use a proper mode internally"): its name tells.
	if (bytes == 8 && len == 9 && is_eventfd(name))
		wake(pid_tgid);
	return 0;
}

// Last of all, the clock: what came before is not the write's time.
static __always_inline int start(struct pending *p, __u64 pid_tgid)
{
	__u32 tid = pid_tgid;
	__u64 now = bpf_ktime_get_ns();

	begin(&p->w.r, KIND_WRITE, pid_tgid, now);
	p->w.start = now;
	if (bpf_map_update_elem(&writes, &tid, p, BPF_ANY))
		count_lost(KIND_WRITE);
	return 0;
}

static __always_inline int enter_buffer(struct sys_enter *ctx, __s64 pos, __u64 wake_size)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	if (!is_traced(pid_tgid))
		return 0;
	struct pending *p = enter(pid_tgid, ctx->args[0], pos, wake_size);
	if (!p)
		return 0;
	read_head(&p->w, ctx->args[1], ctx->args[2]);
	return start(p, pid_tgid);
}

static __always_inline int enter_vector(struct sys_enter *ctx, __s64 pos)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	if (!is_traced(pid_tgid))
		return 0;
	struct pending *p = enter(pid_tgid, ctx->args[0], pos, 0);
	if (!p)
		return 0;
	struct iovec first = {};
	if (ctx->args[2])
		bpf_probe_read_user(&first, sizeof(first), (void *)ctx->args[1]);
	read_head(&p->w, first.base, first.len);
	return start(p, pid_tgid);
}

// Every program returns 0, always: the kernel then drops the perf event there
// and then.

SEC("tracepoint/syscalls/sys_enter_write")
int enter_write(struct sys_enter *ctx)
{
	return enter_buffer(ctx, -1, ctx->args[2]);
}

SEC("tracepoint/syscalls/sys_enter_pwrite64")
int enter_pwrite64(struct sys_enter *ctx)
{
	return enter_buffer(ctx, ctx->args[3], 0);
}

SEC("tracepoint/syscalls/sys_enter_writev")
int enter_writev(struct sys_enter *ctx)
{
	return enter_vector(ctx, -1);
}

// The high half of the position (args[4]) is nothing on 64 bits: the low one
// has all of it.
SEC("tracepoint/syscalls/sys_enter_pwritev")
int enter_pwritev(struct sys_enter *ctx)
{
	return enter_vector(ctx, ctx->args[3]);
}

SEC("tracepoint/syscalls/sys_exit_write")
int exit_write(struct sys_exit *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct pending *p = bpf_map_lookup_elem(&writes, &tid);
	if (!p)
		return 0;
	p->w.r.at = bpf_ktime_get_ns();
	p->w.ret = ctx->ret;
	bpf_get_current_comm(p->w.comm, sizeof(p->w.comm));
	emit(&p->w, WRITE_FIXED + p->w.r.tail, KIND_WRITE);
	bpf_map_delete_elem(&writes, &tid);
	return 0;
}
