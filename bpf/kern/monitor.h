// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// HotSpot's monitor__contended__{enter,entered,exit}, or, where these do not
// fire, the functions around them (jvm/functions.go). Arguments of a site: Java's
// thread id, the ObjectMonitor, and of an enter the class's name and its length.
#pragma once

#include "enters.h"
#include "site.h"
#include "thread.h"

// The monitor that a thread asks ObjectMonitor::enter_internal for: at its return
// no register says so any more. A thread that ended inside leaves its entry.
struct entering {
	__u64 monitor;
	__u64 attachment;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); // tid
	__type(value, struct entering);
} entering SEC(".maps");

// Whether the record of a function's site is whole: that of a return is, if its
// entry was seen.
static __always_inline int of_function(struct monitor_record *rec, const struct site *s)
{
	__u32 tid = rec->r.tid;

	if (s->kind == KIND_MONITOR_ENTER) {
		struct entering e = {.monitor = rec->monitor, .attachment = s->attachment};
		bpf_map_update_elem(&entering, &tid, &e, BPF_ANY);
	}
	if (s->kind != KIND_MONITOR_ENTERED)
		return 1;
	struct entering *e = bpf_map_lookup_elem(&entering, &tid);
	if (!e)
		return 0;
	int same = e->attachment == s->attachment;
	rec->monitor = e->monitor;
	bpf_map_delete_elem(&entering, &tid);
	return same;
}

// Whether the wake-ups that a wait makes worth a record are looked at at all.
const volatile _Bool wakes;

SEC("uprobe/monitor")
int monitor(void *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct site *s = site_hit(ctx, pid_tgid);
	if (!s)
		return 0;

	struct monitor_record rec = {};
	__u32 kind = s->kind;
	begin(&rec.r, kind, pid_tgid, now);
	rec.r.flags = s->flags;
	rec.thread = argument(ctx, &s->args[0]);
	rec.monitor = argument(ctx, &s->args[1]);
	if ((s->flags & MONITOR_FUNCTION) && !of_function(&rec, s))
		return 0;
	bpf_get_current_comm(rec.comm, sizeof(rec.comm));
	if (kind == KIND_MONITOR_ENTER) {
		count_enter(rec.r.tgid);
		__s64 len = argument(ctx, &s->args[3]);
		rec.r.tail = read_text(rec.class, CLASS_MAX, argument(ctx, &s->args[2]), len);
		if (len > CLASS_MAX && rec.r.tail)
			rec.r.flags |= MONITOR_CUT;
	}
	__u32 size = MONITOR_FIXED + rec.r.tail;
	if (size <= sizeof(rec))
		emit(&rec, size, kind);
	if (wakes && kind == KIND_MONITOR_ENTERED) {
		struct thread *t = remember_thread(pid_tgid);
		if (t)
			t->worked = 1;
		else
			count_lost(KIND_WAKE);
	}
	return 0;
}
