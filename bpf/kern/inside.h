// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Which thread is inside a traced write or fsync, per CPU, and which of those
// have left their CPU: what the programs of the scheduler and of the clock ask
// at every hit, without a lookup by thread.
#pragma once

#include "thread.h"

static __always_inline int is_inside(const struct thread *t)
{
	return t->writing || t->syncing;
}

// The tid of the running thread while it is inside, 0 for none. A slot may name
// a thread that is not inside any more, where the end was missed: who finds its
// tid here asks is_inside as well.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} inside SEC(".maps");

// The threads that are off their CPU, each with the record that it will send
// when it runs again.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); // tid
	__type(value, struct offcpu_record);
} away SEC(".maps");

// How many entries away has.
__u64 away_count;

static __always_inline int forget_away(__u32 tid)
{
	if (bpf_map_delete_elem(&away, &tid))
		return 0;
	__sync_fetch_and_add(&away_count, -1);
	return 1;
}

// Of a thread that runs: if it is said to be off its CPU, it came back unseen,
// and nobody knows when. Hosts may keep switches from tasks of their own out of
// the event.
static __always_inline void is_here(__u32 tid)
{
	if (away_count && forget_away(tid))
		count_lost(KIND_OFFCPU);
}

static __always_inline __u32 *inside_here(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&inside, &zero);
}

// After writing or syncing was set, on the thread itself.
static __always_inline void step_in(__u32 tid)
{
	__u32 *slot = inside_here();
	if (slot)
		*slot = tid;
}

// After writing or syncing was cleared: an fsync may end inside a write.
static __always_inline void step_out(const struct thread *t)
{
	__u32 *slot = inside_here();
	if (!slot || is_inside(t))
		return;
	*slot = 0;
	is_here(bpf_get_current_pid_tgid());
}
