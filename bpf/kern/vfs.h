// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// vfs_write(file, buf, count, pos) of fs/read_write.c: write(2) and pwrite64(2)
// to files of every kind, once the descriptor has been looked up. Vectored
// writes come by vfs_writev(file, vec, vlen, pos, flags).
#pragma once

#include "write.h"

static __always_inline __s64 position(struct file *file, __s64 *at)
{
	__s64 value = 0;

	if (direct)
		return POINTER(struct timespec64, at)->tv_sec;
	if (!reads)
		return GET(file, f_pos); // write(2)'s
	bpf_probe_read_kernel(&value, sizeof(value), at);
	return value;
}

// The fourth argument. Before 5.18 the verifier lets no program have a pointer to
// a number; it does let them read where that lies.
static __always_inline __s64 *position_of(__u64 *ctx)
{
	__s64 *at = 0;

	if (direct)
		return (__s64 *)ctx[3];
	asm volatile("" : "+r"(ctx)); // or one address serves both, which the verifier refuses
	if (reads)
		bpf_probe_read_kernel(&at, sizeof(at), ctx + 3);
	return at;
}

static __always_inline int vfs_write(struct file *file, __u64 buf, __u64 bytes, __s64 *pos)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	if (is_idle_wake(bytes) || !is_traced(pid_tgid))
		return 0;
	struct thread *t = enter(pid_tgid, file, bytes);
	if (!t)
		return 0;
	t->w.offset = position(file, pos);
	read_head(&t->w, buf, bytes);
	return start(t, pid_tgid);
}

static __always_inline int vfs_writev(struct file *file, __u64 vector, __u64 count, __s64 *pos)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	if (!is_traced(pid_tgid))
		return 0;
	struct thread *t = enter(pid_tgid, file, 0);
	if (!t)
		return 0;
	t->w.offset = position(file, pos);
	read_vector(&t->w, vector, count);
	return start(t, pid_tgid);
}

SEC("fentry/vfs_write")
int fentry_write(__u64 *ctx)
{
	return vfs_write((struct file *)ctx[0], ctx[1], ctx[2], position_of(ctx));
}

SEC("fexit/vfs_write")
int fexit_write(__u64 *ctx)
{
	return finish(ctx[4]);
}

SEC("fentry/vfs_writev")
int fentry_writev(__u64 *ctx)
{
	return vfs_writev((struct file *)ctx[0], ctx[1], ctx[2], position_of(ctx));
}

SEC("fexit/vfs_writev")
int fexit_writev(__u64 *ctx)
{
	return finish(ctx[5]);
}

SEC("kprobe/vfs_write")
int kprobe_write(struct pt_regs *ctx)
{
	return vfs_write(POINTER(struct file, ARGUMENT_1(ctx)), ARGUMENT_2(ctx), ARGUMENT_3(ctx), (__s64 *)ARGUMENT_4(ctx));
}

SEC("kretprobe/vfs_write")
int kretprobe_write(struct pt_regs *ctx)
{
	return finish(RETURNED(ctx));
}

SEC("kprobe/vfs_writev")
int kprobe_writev(struct pt_regs *ctx)
{
	return vfs_writev(POINTER(struct file, ARGUMENT_1(ctx)), ARGUMENT_2(ctx), ARGUMENT_3(ctx), (__s64 *)ARGUMENT_4(ctx));
}

SEC("kretprobe/vfs_writev")
int kretprobe_writev(struct pt_regs *ctx)
{
	return finish(RETURNED(ctx));
}
