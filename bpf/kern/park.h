// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Parks (LockSupport.park) as the kernel sees them: HotSpot's Parker waits for a
// condition variable, and glibc does that by FUTEX_WAIT_BITSET, with or without
// a time limit (runtime/os posix Parker::park; nptl/futex-internal.c). Threads
// that wait at a safepoint or for a mutex do it by FUTEX_WAIT
// (waitBarrier_linux.cpp; nptl/lowlevellock.c). Only threads that have written a
// segment are of interest. Switches and wake-ups are the whole host's: those of
// processes of which no thread is known end after a look at a few bits.
#pragma once

#include "sched.h"
#include "syscall.h"

#if defined(__TARGET_ARCH_x86)
enum { NR_FUTEX = 202 };
#elif defined(__TARGET_ARCH_arm64)
enum { NR_FUTEX = 98 };
#endif

// include/uapi/linux/futex.h; the mask leaves out FUTEX_PRIVATE_FLAG and
// FUTEX_CLOCK_REALTIME.
#define FUTEX_WAIT_BITSET 9
#define FUTEX_COMMAND 0x7f

// include/linux/sched.h
#define TASK_INTERRUPTIBLE 1

// The registers of the futex call that a thread is in; 0: it is in none.
static __always_inline struct pt_regs *in_futex(struct task_struct *task)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(task); // since 5.15
	return IS_64_BIT(regs) && CALL(regs) == NR_FUTEX ? regs : 0;
}

// The current thread falls asleep.
static __always_inline void fall_asleep(struct task_struct *task)
{
	struct pt_regs *regs = in_futex(task);
	if (!regs || (ARGUMENT_2(regs) & FUTEX_COMMAND) != FUTEX_WAIT_BITSET)
		return;
	__u32 tid = task->pid;
	struct thread *t = find_thread(tid);
	if (!t || !t->w.start)
		return;
	begin(&t->p.r, KIND_PARK, (__u64)t->w.r.tgid << 32 | tid, 0);
	t->p.r.flags = PARK_KERNEL | (CALL_ARGUMENT_4(regs) ? PARK_TIMED : 0);
	t->p.woken = t->p.waker = 0;
	t->p.futex = CALL_ARGUMENT_1(regs) >> 3; // a condition variable has two words side by side
	t->p.start = bpf_ktime_get_ns();
}

// The entry of a thread that is parked; 0 for others.
static __always_inline struct thread *find_parked(struct task_struct *task)
{
	if (!is_known(task->tgid))
		return 0;
	struct thread *t = find_thread(task->pid);
	return t && t->p.start ? t : 0;
}

// A thread gets this CPU. A wake-up of another thread that it makes from here
// on may hand over the response to what it was woken for.
static __always_inline void run_on(struct task_struct *task)
{
	struct thread *t = find_parked(task);
	if (!t)
		return;
	t->p.r.at = bpf_ktime_get_ns();
	__builtin_memcpy(t->p.comm, t->w.comm, COMM_LEN); // the current one is another's
	emit(&t->p, sizeof(t->p), KIND_PARK);
	t->p.start = 0;
	t->worked = 1;
}

SEC("tp_btf/sched_switch")
int park_switch(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];

	if (!(_Bool)ctx[0] && is_known(prev->tgid) && state_of(prev) & TASK_INTERRUPTIBLE)
		fall_asleep(prev);
	run_on(next);
	return 0;
}

// sched_waking comes on the waker's CPU; sched_wakeup may not. One that has its
// time limit behind it is woken by the clock, which interrupts whom it finds:
// who is no thread of the same process in a futex call of its own is no waker.
SEC("tp_btf/sched_waking")
int park_waking(__u64 *ctx)
{
	struct thread *t = find_parked((void *)ctx[0]);
	if (!t || t->p.woken)
		return 0;
	t->p.woken = bpf_ktime_get_ns();
	__u64 waker = bpf_get_current_pid_tgid();
	if (waker >> 32 == t->w.r.tgid && in_futex(bpf_get_current_task_btf()))
		t->p.waker = waker;
	return 0;
}
