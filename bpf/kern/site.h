// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Sites in a process's library: USDT probes, and places in its functions. Sites
// of one subject share a program; the attach cookie is the index of the site's
// description, for each build of libjvm keeps the arguments in places of its own.
#pragma once

#include "ring.h"

#define SITES_MAX 1024
#define SITE_ARGS 4

enum source { FROM_CONST, FROM_REGISTER, FROM_MEMORY };

struct argument {
	__u8 source;
	__s8 size;   // bytes, negative: signed
	__u16 reg;   // offset in pt_regs
	__u32 pad;
	__s64 value; // the constant, or the displacement
};

enum edge { EDGE_NONE, EDGE_BEGIN, EDGE_END };

struct site {
	__u32 tgid; // the process it was attached for; 0: unused
	__u8 kind;  // of the record that it makes, or completes
	__u8 edge;  // of what has a begin and an end
	__u8 flags; // of the record
	__u8 pad;
	__u64 attachment; // a number of its own: what began in another did not end in this
	struct argument args[SITE_ARGS]; // by kind, see the programs
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SITES_MAX);
	__type(key, __u32);
	__type(value, struct site);
} sites SEC(".maps");

// Before 5.15 a program cannot ask by which attachment it was hit: then each site
// has a copy of the program to itself, with the site's index and one more here.
const volatile __u32 own_site;

// The site that was hit; 0 where it was attached for another process. The same
// file attached for two of them runs the program twice a hit, and the site's tgid
// lets one through.
static __always_inline struct site *site_hit(void *ctx, __u64 pid_tgid)
{
	__u32 index = own_site ? own_site - 1 : bpf_get_attach_cookie(ctx);
	struct site *s = bpf_map_lookup_elem(&sites, &index);

	return s && s->tgid == pid_tgid >> 32 ? s : 0;
}

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

// Copies a text of the process, at most max bytes, and says how many it copied.
static __always_inline __u32 read_text(char *to, __u32 max, __u64 from, __s64 len)
{
	if (len <= 0)
		return 0;
	__u32 n = len > max ? max : len;
	asm volatile("" : "+r"(n)); // the bound below is the verifier's, keep it
	if (n > max || bpf_probe_read_user(to, n, (void *)from))
		return 0;
	return n;
}
