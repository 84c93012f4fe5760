// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The ring that every record leaves by, the count of those that found it full,
// and who is traced.
#pragma once

#include "kernel.h"
#include "record.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KIND_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); // tgid, in the host's numbers
	__type(value, __u8);
} traced SEC(".maps");

// The reader is woken only when this much waits in the ring; until then it
// looks by itself, every few milliseconds. A wake-up a record would cost the
// traced thread more than the record.
const volatile __u64 wake_bytes;

static __always_inline void count_lost(__u32 kind)
{
	__u64 *n = bpf_map_lookup_elem(&lost, &kind);
	if (n)
		__sync_fetch_and_add(n, 1);
}

// 0 when the record is in the ring.
static __always_inline long emit(void *rec, __u64 size, __u32 kind)
{
	__u64 wait = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	__u64 flags = wait < wake_bytes ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP;
	long err = bpf_ringbuf_output(&ring, rec, size, flags);
	if (err)
		count_lost(kind);
	return err;
}

static __always_inline void begin(struct record *r, __u8 kind, __u64 pid_tgid, __u64 at)
{
	r->kind = kind;
	r->version = RECORD_VERSION;
	r->tgid = pid_tgid >> 32;
	r->tid = pid_tgid;
	r->at = at;
}

static __always_inline int is_traced(__u64 pid_tgid)
{
	__u32 tgid = pid_tgid >> 32;
	return bpf_map_lookup_elem(&traced, &tgid) != 0;
}
