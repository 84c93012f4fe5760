// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Where a thread is while it runs inside a write or an fsync: every CPU's clock
// asks, some tens of times a second, and nearly always finds none.
#pragma once

#include "inside.h"

// A record is too large for the stack of a program. The clock of a CPU does not
// interrupt itself.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sample_record);
} samples SEC(".maps");

SEC("perf_event")
int sample(void *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tid = pid_tgid, zero = 0;
	__u32 *slot = inside_here();

	if (!slot || !*slot || *slot != tid)
		return 0;
	struct thread *t = find_thread(tid);
	struct sample_record *rec = bpf_map_lookup_elem(&samples, &zero);
	if (!t || !is_inside(t) || !rec)
		return 0;
	begin(&rec->r, KIND_SAMPLE, pid_tgid, bpf_ktime_get_ns());
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	long bytes = bpf_get_stack(ctx, rec->stack, sizeof(rec->stack), 0);
	rec->r.tail = bytes > 0 ? (__u64)bytes / 8 : 0;
	__u64 size = SAMPLE_FIXED + 8 * (rec->r.tail & (2 * STACK_MAX - 1));
	if (size <= sizeof(*rec))
		emit(rec, size, KIND_SAMPLE);
	return 0;
}
