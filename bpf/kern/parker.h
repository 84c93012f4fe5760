// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Parks by HotSpot's thread__park__begin, thread__park__end and thread__unpark
// (prims/unsafe.cpp), which fire without a flag, in every thread that parks.
// Arguments of a site: the Parker, and of a begin whether its time limit is an
// instant, and that limit; 0, which is no instant, is none.
#pragma once

#include "site.h"
#include "thread.h"

struct parker {
	__u64 address;
	__u32 tgid;
	__u32 pad;
};

// Who is parked, of the threads that have written a segment. A begin without an
// end is replaced by the next one, or goes as the least recent.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct parker);
	__type(value, struct park_record);
} parked SEC(".maps");

static __always_inline int begin_park(void *ctx, const struct site *s, const struct parker *key, __u64 pid_tgid, __u64 now)
{
	struct thread *t = find_thread(pid_tgid);
	struct park_record rec = {};

	if (!t || !t->w.start)
		return 0;
	begin(&rec.r, KIND_PARK, pid_tgid, 0);
	if ((argument(ctx, &s->args[1]) & 0xff) || argument(ctx, &s->args[2]))
		rec.r.flags = PARK_TIMED;
	rec.start = now;
	bpf_get_current_comm(rec.comm, sizeof(rec.comm));
	if (bpf_map_update_elem(&parked, key, &rec, BPF_ANY))
		count_lost(KIND_PARK);
	return 0;
}

SEC("uprobe/park")
int park(void *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct site *s = site_hit(ctx, pid_tgid);
	if (!s)
		return 0;

	struct parker key = {.address = argument(ctx, &s->args[0]), .tgid = pid_tgid >> 32};
	if (s->edge == EDGE_BEGIN)
		return begin_park(ctx, s, &key, pid_tgid, now);
	struct park_record *rec = bpf_map_lookup_elem(&parked, &key);
	if (!rec)
		return 0;
	if (s->edge == EDGE_NONE) { // an unpark
		if (!rec->woken) {
			rec->waker = pid_tgid;
			rec->woken = now;
		}
		return 0;
	}
	rec->r.at = now;
	emit(rec, sizeof(*rec), KIND_PARK);
	bpf_map_delete_elem(&parked, &key);
	struct thread *t = find_thread(pid_tgid);
	if (t)
		t->worked = 1;
	return 0;
}
