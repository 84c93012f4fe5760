// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The life of a JVM: its threads begin (hotspot:thread__start), its VM thread does
// operations (vmops__begin, …end), most of them while all others stand still, and
// collects garbage (gc__begin, …end) inside those. Arguments of a site, the
// thread's: Java's thread id, the name and its length; else: the operation's name,
// its length, and its mode, or whether a GC is a full one.
#pragma once

#include "site.h"

// Operations may be nested, and GCs are nested in them: by its name, which is a
// constant of libjvm, an end finds its begin. A begin without an end is replaced
// by the next one, or goes as the least recent.
struct span {
	__u32 tid;
	__u32 kind;
	__u64 name;
};

struct begun {
	__u64 start;
	__u64 mode;
	__u64 attachment;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct span);
	__type(value, struct begun);
} begun SEC(".maps");

// VM_Operation::evaluation_mode of JDK 11: 1 without a safepoint, 2 concurrently,
// 3 at a safepoint that nobody waits for. Later ones say 1 for all without.
static __always_inline __u8 flags_of(__u32 kind, __u64 mode)
{
	if (kind == KIND_GC)
		return mode ? VM_FULL : 0;
	return mode == 1 || mode == 2 ? VM_CONCURRENT : 0;
}

static __always_inline int thread_start(void *ctx, const struct site *s, __u64 pid_tgid, __u64 now)
{
	struct thread_start_record rec = {};

	begin(&rec.r, KIND_THREAD_START, pid_tgid, now);
	rec.thread = argument(ctx, &s->args[0]);
	rec.r.tail = read_text(rec.name, THREAD_NAME_MAX, argument(ctx, &s->args[1]), argument(ctx, &s->args[2]));
	__u32 size = THREAD_START_FIXED + rec.r.tail;
	if (size <= sizeof(rec))
		emit(&rec, size, KIND_THREAD_START);
	return 0;
}

SEC("uprobe/jvm_life")
int jvm_life(void *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct site *s = site_hit(ctx, pid_tgid);
	if (!s)
		return 0;

	__u32 kind = s->kind;
	if (kind == KIND_THREAD_START)
		return thread_start(ctx, s, pid_tgid, now);
	struct span span = {.tid = pid_tgid, .kind = kind, .name = argument(ctx, &s->args[0])};
	if (s->edge == EDGE_BEGIN) {
		struct begun b = {.start = now, .mode = argument(ctx, &s->args[2]), .attachment = s->attachment};
		if (bpf_map_update_elem(&begun, &span, &b, BPF_ANY))
			count_lost(kind);
		return 0;
	}
	struct begun *b = bpf_map_lookup_elem(&begun, &span);
	if (!b || b->attachment != s->attachment)
		return 0;
	struct vm_record rec = {};
	begin(&rec.r, kind, pid_tgid, now);
	rec.r.flags = flags_of(kind, b->mode);
	rec.start = b->start;
	bpf_map_delete_elem(&begun, &span);
	rec.r.tail = read_text(rec.name, VM_NAME_MAX, span.name, argument(ctx, &s->args[1]));
	__u32 size = VM_FIXED + rec.r.tail;
	if (size <= sizeof(rec))
		emit(&rec, size, kind);
	return 0;
}
