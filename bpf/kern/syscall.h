// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// write, pwrite64, writev and pwritev as system calls, by a tracepoint of each
// (perf's) or by those that all calls pass (tp_btf). Any of them sends every
// call of every process through the kernel's slow path.
#pragma once

#include "write.h"

static __always_inline struct file *file_of(__u32 fd)
{
	struct task_struct *task = current_task();
	struct files_struct *files = GET(task, files);
	struct fdtable *table = GET(files, fdt);

	if (fd >= GET(table, max_fds))
		return 0;
	return file_at(GET(table, fd) + fd);
}

// pos < 0: at the file's own position.
static __always_inline struct thread *enter_call(__u64 pid_tgid, __u32 fd, __s64 pos, __u64 bytes)
{
	struct file *file = file_of(fd);
	struct thread *t = file ? enter(pid_tgid, file, bytes) : 0;
	if (t)
		t->w.offset = pos < 0 ? GET(file, f_pos) : pos;
	return t;
}

static __always_inline int enter_buffer(__u64 fd, __u64 buf, __u64 count, __s64 pos, __u64 wake_size)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	if (!is_traced(pid_tgid))
		return 0;
	struct thread *t = enter_call(pid_tgid, fd, pos, wake_size);
	if (!t)
		return 0;
	read_head(&t->w, buf, count);
	return start(t, pid_tgid);
}

static __always_inline int enter_vector(__u64 fd, __u64 vector, __u64 count, __s64 pos)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	if (!is_traced(pid_tgid))
		return 0;
	struct thread *t = enter_call(pid_tgid, fd, pos, 0);
	if (!t)
		return 0;
	read_vector(&t->w, vector, count);
	return start(t, pid_tgid);
}

// Every program returns 0, always: the kernel then drops the perf event there
// and then.

SEC("tracepoint/syscalls/sys_enter_write")
int enter_write(struct sys_enter *ctx)
{
	__u64 bytes = ctx->args[2];
	return is_idle_wake(bytes) ? 0 : enter_buffer(ctx->args[0], ctx->args[1], bytes, -1, bytes);
}

SEC("tracepoint/syscalls/sys_enter_pwrite64")
int enter_pwrite64(struct sys_enter *ctx)
{
	return enter_buffer(ctx->args[0], ctx->args[1], ctx->args[2], ctx->args[3], 0);
}

SEC("tracepoint/syscalls/sys_enter_writev")
int enter_writev(struct sys_enter *ctx)
{
	return enter_vector(ctx->args[0], ctx->args[1], ctx->args[2], -1);
}

// The high half of the position (args[4]) is nothing on 64 bits: the low one
// has all of it.
SEC("tracepoint/syscalls/sys_enter_pwritev")
int enter_pwritev(struct sys_enter *ctx)
{
	return enter_vector(ctx->args[0], ctx->args[1], ctx->args[2], ctx->args[3]);
}

SEC("tracepoint/syscalls/sys_exit_write")
int exit_write(struct sys_exit *ctx)
{
	return finish(ctx->ret);
}

// The numbers of include/uapi/asm-generic/unistd.h and of x86's
// syscall_64.tbl; 32-bit processes have others, and are left alone.
#if defined(__TARGET_ARCH_x86)
enum { NR_WRITE = 1, NR_PWRITE64 = 18, NR_WRITEV = 20, NR_PWRITEV = 296 };
#define USER_CS 0x33 // __USER_CS, arch/x86/include/asm/segment.h
#define IS_64_BIT(r) ((r)->cs == USER_CS)
#define CALL(r) ((r)->orig_ax)
#define CALL_ARGUMENT_1(r) ((r)->di)
#define CALL_ARGUMENT_4(r) ((r)->r10)
#elif defined(__TARGET_ARCH_arm64)
enum { NR_WRITE = 64, NR_WRITEV = 66, NR_PWRITE64 = 68, NR_PWRITEV = 70 };
#define PSR_MODE32_BIT 0x10 // arch/arm64/include/uapi/asm/ptrace.h
#define IS_64_BIT(r) (!((r)->pstate & PSR_MODE32_BIT))
#define CALL(r) ((r)->syscallno)
#define CALL_ARGUMENT_1(r) ((r)->orig_x0)
#define CALL_ARGUMENT_4(r) ((r)->regs[3])
#endif

// Whether writev and pwritev are looked at, too.
const volatile _Bool vectors;

static __always_inline int is_write(__u64 call)
{
	return call == NR_WRITE || call == NR_PWRITE64 || (vectors && (call == NR_WRITEV || call == NR_PWRITEV));
}

// The arguments are the registers and the call's number.
SEC("tp_btf/sys_enter")
int btf_sys_enter(__u64 *ctx)
{
	__u64 call = ctx[1];
	if (!is_write(call))
		return 0;
	struct pt_regs *regs = (struct pt_regs *)ctx[0];
	if (!IS_64_BIT(regs))
		return 0;
	__u64 fd = CALL_ARGUMENT_1(regs), from = ARGUMENT_2(regs), count = ARGUMENT_3(regs);
	__s64 pos = call == NR_PWRITE64 || call == NR_PWRITEV ? (__s64)CALL_ARGUMENT_4(regs) : -1;

	if (call == NR_WRITE && is_idle_wake(count))
		return 0;
	if (call == NR_WRITE || call == NR_PWRITE64)
		return enter_buffer(fd, from, count, pos, call == NR_WRITE ? count : 0);
	return enter_vector(fd, from, count, pos);
}

// The arguments are the registers and what the call returned.
SEC("tp_btf/sys_exit")
int btf_sys_exit(__u64 *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx[0];
	return is_write(CALL(regs)) ? finish(ctx[1]) : 0;
}
