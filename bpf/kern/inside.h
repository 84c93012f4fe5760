// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Which thread is inside a traced write or fsync, per CPU: what the scheduler
// and the clock's programs ask at every hit, without a lookup by thread.
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
	if (slot && !is_inside(t))
		*slot = 0;
}
