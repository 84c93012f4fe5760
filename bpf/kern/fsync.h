// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// fsync(2), fdatasync(2) and msync(2) with MS_SYNC of traced threads: all of
// them are vfs_fsync_range (fs/sync.c, mm/msync.c). What a write to a file opened
// with O_SYNC has synced is a part of that write.
#pragma once

#include "syscall.h"

#define MS_SYNC 4 // include/uapi/asm-generic/mman-common.h

// Where programs may look through pointers only, 8 bytes at a time; where these
// have to be typed, too, a name that lies in the dentry, behind whose end there
// may be other names.
static __always_inline __u8 walk_name(char *to, __u32 size, struct dentry *dentry)
{
	const unsigned char *from = GET(dentry, d_name.name);
	__u32 len = GET(dentry, d_name.len);
	__u64 *words = (__u64 *)to;

	if (!direct) {
		read_inline(to, dentry, 32);
		len = len < 32 ? len : 0;
		for (__u32 i = 0; i < 32; i++)
			if (i >= len)
				to[i] = 0;
		return len;
	}
	if (len >= size)
		len = size - 1;
	for (__u32 i = 0; i < size / 8; i++) {
		__u64 word = 0;
		if (8 * i < len) {
			struct timespec64 *eight = bpf_rdonly_cast(from + 8 * i, bpf_core_type_id_kernel(struct timespec64));
			word = eight->tv_sec;
		}
		if (8 * i < len && len < 8 * i + 8)
			word &= (1ULL << 8 * (len & 7)) - 1;
		words[i] = word;
	}
	return len;
}

static __always_inline __u8 copy_name(char *to, __u32 size, struct dentry *dentry)
{
	if (!reads)
		return walk_name(to, size, dentry);
	long n = bpf_probe_read_kernel_str(to, size, GET(dentry, d_name.name));
	return n > 1 ? n - 1 : 0;
}

static __always_inline void name_fsync(struct fsync_record *f, struct inode *inode, struct dentry *dentry)
{
	struct super_block *super = GET(inode, i_sb);

	__builtin_memset(f->name, 0, FILE_LEN);
	f->r.dev = GET(super, s_dev);
	f->ino = GET(inode, i_ino);
	copy_name(f->name, FILE_LEN, dentry);
	f->r.tail = copy_name(f->dir, sizeof(f->dir), GET(dentry, d_parent));
}

static __always_inline struct thread *syncing_thread(__u64 pid_tgid)
{
	struct thread *t = remember_thread(pid_tgid);
	if (!t)
		count_lost(KIND_FSYNC);
	return t && !t->writing ? t : 0;
}

// One inside another (a file of an overlay and the real one) takes its place:
// that is the one with a device.
static __always_inline int start_fsync(struct thread *t, __u64 pid_tgid, __u64 of, int data)
{
	t->syncing = 1;
	t->sync_of = of;
	step_in(pid_tgid);
	__u64 now = bpf_ktime_get_ns();
	begin(&t->f.r, KIND_FSYNC, pid_tgid, now);
	t->f.r.flags = data ? FSYNC_DATA : 0;
	t->f.start = now;
	return 0;
}

static __always_inline int fsync_file(struct file *file, __u64 of, int data)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	if (!is_traced(pid_tgid))
		return 0;
	struct thread *t = syncing_thread(pid_tgid);
	if (!t)
		return 0;
	name_fsync(&t->f, GET(file, f_inode), GET(file, f_path.dentry));
	return start_fsync(t, pid_tgid, of, data);
}

static __always_inline int end_fsync(__u64 of, __s64 ret)
{
	struct thread *t = find_thread(bpf_get_current_pid_tgid());
	if (!t || !t->syncing || t->sync_of != of)
		return 0;
	t->syncing = 0;
	step_out(t);
	t->f.r.at = bpf_ktime_get_ns();
	t->f.ret = ret;
	read_comm(t->f.comm);
	emit(&t->f, FSYNC_FIXED + t->f.r.tail, KIND_FSYNC);
	return 0;
}

// vfs_fsync_range(file, start, end, datasync) has every file system, if the
// compiler has not put copies of it into its callers. The file systems' own, to
// which it leads, have no direct callers.
#define FSYNC_FUNCTION(function)                                                          \
	SEC("fentry/" #function)                                                          \
	int fentry_##function(__u64 *ctx)                                                 \
	{                                                                                 \
		return fsync_file((struct file *)ctx[0], ctx[0], ctx[3]);                 \
	}                                                                                 \
                                                                                          \
	SEC("fexit/" #function)                                                           \
	int fexit_##function(__u64 *ctx)                                                  \
	{                                                                                 \
		return end_fsync(ctx[0], (int)ctx[4]);                                    \
	}                                                                                 \
                                                                                          \
	SEC("kprobe/" #function)                                                          \
	int kprobe_##function(struct pt_regs *ctx)                                        \
	{                                                                                 \
		return fsync_file(POINTER(struct file, ARGUMENT_1(ctx)), 0, ARGUMENT_4(ctx)); \
	}                                                                                 \
                                                                                          \
	SEC("kretprobe/" #function)                                                       \
	int kretprobe_##function(struct pt_regs *ctx)                                     \
	{                                                                                 \
		return end_fsync(0, (int)RETURNED(ctx));                                  \
	}

FSYNC_FUNCTION(vfs_fsync_range)
FSYNC_FUNCTION(ext4_sync_file)
FSYNC_FUNCTION(xfs_file_fsync)

// ext4 alone has tracepoints at both ends: (file, datasync), (inode, ret).
SEC("tp_btf/ext4_sync_file_enter")
int btf_fsync_start(__u64 *ctx)
{
	struct file *file = (void *)ctx[0];
	return fsync_file(file, (__u64)file->f_inode, ctx[1]);
}

SEC("tp_btf/ext4_sync_file_exit")
int btf_fsync_end(__u64 *ctx)
{
	return end_fsync(ctx[0], (int)ctx[1]);
}

static __always_inline int enter_sync(struct sys_enter *ctx, int data)
{
	struct file *file = is_traced(bpf_get_current_pid_tgid()) ? file_of(ctx->args[0]) : 0;
	return file ? fsync_file(file, 0, data) : 0;
}

SEC("tracepoint/syscalls/sys_enter_fsync")
int enter_fsync(struct sys_enter *ctx)
{
	return enter_sync(ctx, 0);
}

SEC("tracepoint/syscalls/sys_enter_fdatasync")
int enter_fdatasync(struct sys_enter *ctx)
{
	return enter_sync(ctx, 1);
}

// Its file is for the file system to name.
SEC("tracepoint/syscalls/sys_enter_msync")
int enter_msync(struct sys_enter *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	if (!(ctx->args[2] & MS_SYNC) || !is_traced(pid_tgid))
		return 0;
	struct thread *t = syncing_thread(pid_tgid);
	if (!t)
		return 0;
	__builtin_memset(t->f.name, 0, FILE_LEN);
	t->f.ino = t->f.r.dev = t->f.r.tail = 0;
	return start_fsync(t, pid_tgid, 0, 1);
}

SEC("tracepoint/syscalls/sys_exit_fsync")
int exit_fsync(struct sys_exit *ctx)
{
	return end_fsync(0, ctx->ret);
}

// Inside msync(2).
SEC("tp_btf/ext4_sync_file_enter")
int name_ext4_fsync(__u64 *ctx)
{
	struct file *file = (void *)ctx[0];
	struct thread *t = find_thread(bpf_get_current_pid_tgid());
	if (t && t->syncing && !t->f.r.dev)
		name_fsync(&t->f, file->f_inode, file->f_path.dentry);
	return 0;
}
