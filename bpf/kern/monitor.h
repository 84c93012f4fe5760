// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// HotSpot's monitor__contended__{enter,entered,exit}: one program for every
// site. The attach cookie is the index of the site's description, for each
// build of libjvm keeps the arguments in registers of its own.
#pragma once

#include "thread.h"

#define SITES_MAX 1024
#define SITE_ARGS 4 // Java thread id, ObjectMonitor *, class name, its length

enum source { FROM_CONST, FROM_REGISTER, FROM_MEMORY };

struct argument {
	__u8 source;
	__s8 size;   // bytes, negative: signed
	__u16 reg;   // offset in pt_regs
	__u32 pad;
	__s64 value; // the constant, or the displacement
};

struct site {
	__u32 tgid; // the process it was attached for; 0: unused
	__u32 kind;
	struct argument args[SITE_ARGS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SITES_MAX);
	__type(key, __u32);
	__type(value, struct site);
} sites SEC(".maps");

// The verifier wants every look at pt_regs to be at a constant, and the compiler,
// where it can, makes one look at a variable place of many.
#define WORD(n)                                                                           \
	case 8 * (n):                                                                     \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(v) : "r"(ctx), "i"(8 * (n))); \
		break;
#define WORDS_OF_8(n) \
	WORD(n) WORD(n + 1) WORD(n + 2) WORD(n + 3) WORD(n + 4) WORD(n + 5) WORD(n + 6) WORD(n + 7)

static __always_inline __u64 reg_at(void *ctx, __u32 offset)
{
	__u64 v = 0;

	switch (offset) {
	WORDS_OF_8(0)
	WORDS_OF_8(8)
	WORD(16) WORD(17) WORD(18) WORD(19)
#if defined(__TARGET_ARCH_arm64)
	WORD(20) WORD(21) WORD(22) WORD(23)
	WORDS_OF_8(24)
	WORD(32)
#endif
	}
	return v;
}

static __always_inline __s64 argument(void *ctx, const struct argument *a)
{
	__u64 v = a->value;

	if (a->source != FROM_CONST) {
		v = reg_at(ctx, a->reg);
		if (a->source == FROM_MEMORY)
			bpf_probe_read_user(&v, sizeof(v), (void *)(v + a->value));
	}
	__u32 bytes = a->size < 0 ? -a->size : a->size;
	__u32 shift = (64 - 8 * bytes) & 63;
	v <<= shift;
	return a->size < 0 ? (__s64)v >> shift : v >> shift;
}

static __always_inline void read_class(struct monitor_record *rec, __u64 name, __s64 len)
{
	if (len <= 0)
		return;
	if (len > CLASS_MAX) {
		len = CLASS_MAX;
		rec->r.flags = MONITOR_CUT;
	}
	__u32 n = len;
	asm volatile("" : "+r"(n)); // the bound below is the verifier's, keep it
	if (n > CLASS_MAX)
		return;
	if (bpf_probe_read_user(rec->class, n, (void *)name))
		return;
	rec->r.tail = n;
}

// Whether the wake-ups that a wait makes worth a record are looked at at all.
const volatile _Bool wakes;

// Before 5.15 a program cannot ask by which attachment it was hit: then each site
// has a copy of the program to itself, with the site's index and one more here.
const volatile __u32 own_site;

// The same file attached for two processes runs this twice a hit; the site's
// tgid lets one through.
SEC("uprobe/monitor")
int monitor(void *ctx)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 index = own_site ? own_site - 1 : bpf_get_attach_cookie(ctx);
	struct site *s = bpf_map_lookup_elem(&sites, &index);
	if (!s || s->tgid != pid_tgid >> 32)
		return 0;

	struct monitor_record rec = {};
	__u32 kind = s->kind;
	begin(&rec.r, kind, pid_tgid, now);
	rec.thread = argument(ctx, &s->args[0]);
	rec.monitor = argument(ctx, &s->args[1]);
	bpf_get_current_comm(rec.comm, sizeof(rec.comm));
	if (kind == KIND_MONITOR_ENTER)
		read_class(&rec, argument(ctx, &s->args[2]), argument(ctx, &s->args[3]));
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
