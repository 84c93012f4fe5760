// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The stays of a thread off its CPU inside a write or an fsync. The scheduler's
// events come a hundred thousand times a second on a busy host: until such a
// thread is off its CPU, a switch costs a look at this CPU's slot and a wake-up
// a look at one counter.
#pragma once

#include "inside.h"

// Stays shorter than this many nanoseconds leave without their stack.
const volatile __u64 stack_from;

// Where the fields stand in perf's events, from tracefs.
const volatile __u32 switch_state;
const volatile __u32 switch_next;
const volatile __u32 wakeup_pid;

static const struct offcpu_record nowhere;

// The states of a task that the event tells of (include/linux/sched.h,
// TASK_REPORT): none for one that could go on. A preempted one has the bit above
// these.
#define TASK_REPORT 0xff

struct task_struct___before_5_14 { // 2f064a59a11f "sched: Change task_struct::state"
	volatile long state;
} CORE;

// Why a thread leaves its CPU, by READ of its own structure.
#define FLAGS(task, could_go_on, READ)                                                 \
	((could_go_on) ? OFFCPU_PREEMPTED                                              \
	 : bpf_core_field_exists((task)->in_iowait) && READ((task), in_iowait) ? OFFCPU_IO : 0)

// What a thread that leaves its CPU has become; 0: it could go on.
static __always_inline __u64 state_of(struct task_struct *task)
{
	struct task_struct___before_5_14 *old = (void *)task;
	return bpf_core_field_exists(task->__state) ? task->__state : old->state;
}

// Whether it matters that this thread leaves its CPU: it is inside, or said to
// have left before.
static __always_inline int matters(__u32 slot, __u32 tid)
{
	return tid && (slot == tid || (away_count && bpf_map_lookup_elem(&away, &tid)));
}

// The current thread leaves its CPU.
static __always_inline void leave(void *ctx, __u32 *slot, __u32 tid, __u8 flags)
{
	__u64 now = bpf_ktime_get_ns();
	struct thread *t = find_thread(tid);

	*slot = 0;
	is_here(tid);
	if (!t || !is_inside(t))
		return;
	if (bpf_map_update_elem(&away, &tid, &nowhere, BPF_NOEXIST))
		goto lost;
	__sync_fetch_and_add(&away_count, 1);
	struct offcpu_record *rec = bpf_map_lookup_elem(&away, &tid);
	if (!rec)
		goto lost;
	begin(&rec->r, KIND_OFFCPU, bpf_get_current_pid_tgid(), 0);
	rec->start = now;
	rec->r.flags = flags;
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	long bytes = bpf_get_stack(ctx, rec->stack, sizeof(rec->stack), 0);
	rec->r.tail = bytes > 0 ? (__u64)bytes / 8 : 0;
	return;
lost:
	count_lost(KIND_OFFCPU);
}

// A thread gets this CPU.
static __always_inline void arrive(__u32 *slot, __u32 tid)
{
	struct offcpu_record *rec = bpf_map_lookup_elem(&away, &tid);
	if (!rec)
		return;
	rec->r.at = bpf_ktime_get_ns();
	if (rec->r.at - rec->start < stack_from)
		rec->r.tail = 0;
	__u64 size = OFFCPU_FIXED + 8 * (rec->r.tail & (2 * STACK_MAX - 1));
	if (size <= sizeof(*rec))
		emit(rec, size, KIND_OFFCPU);
	forget_away(tid);
	*slot = tid;
}

// sched_wakeup comes when the thread is on a run queue, after its switch;
// sched_waking may come before that.
static __always_inline void can_run(__u32 tid)
{
	struct offcpu_record *rec = bpf_map_lookup_elem(&away, &tid);
	if (rec && !rec->woken && !(rec->r.flags & OFFCPU_PREEMPTED))
		rec->woken = bpf_ktime_get_ns();
}

// The arguments begin with (preempt, prev, next) in all kernels but 5.18.0,
// where the verifier turns this away (9c2136be0878 "sched/tracing: Append
// prev_state to tp args instead"). The state is the task's own all the same:
// older kernels do not pass it, and a wake-up under way does not make it zero
// before the switch is over.
SEC("tp_btf/sched_switch")
int switch_threads(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1];
	__u32 tid = prev->pid;
	__u32 *slot = inside_here();

	if (!slot)
		return 0;
	if (matters(*slot, tid))
		leave(ctx, slot, tid, FLAGS(prev, (_Bool)ctx[0] || !state_of(prev), BPF_CORE_READ_BITFIELD));
	if (away_count) {
		struct task_struct *next = (void *)ctx[2];
		arrive(slot, next->pid);
	}
	return 0;
}

SEC("tp_btf/sched_wakeup")
int wake_thread(__u64 *ctx)
{
	if (away_count) {
		struct task_struct *task = (void *)ctx[0];
		can_run(task->pid);
	}
	return 0;
}

SEC("tracepoint/sched/sched_switch")
int switch_threads_event(void *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u32 *slot = inside_here();

	if (!slot)
		return 0;
	if (matters(*slot, tid)) {
		struct task_struct *prev = (void *)bpf_get_current_task();
		int could_go_on = !(field64(ctx, switch_state) & TASK_REPORT);
		leave(ctx, slot, tid, FLAGS(prev, could_go_on, BPF_CORE_READ_BITFIELD_PROBED));
	}
	if (away_count)
		arrive(slot, field32(ctx, switch_next));
	return 0;
}

SEC("tracepoint/sched/sched_wakeup")
int wake_thread_event(void *ctx)
{
	if (away_count)
		can_run(field32(ctx, wakeup_pid));
	return 0;
}
