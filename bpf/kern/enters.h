// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// How many threads of each process found a monitor held, whether or not the ring
// had room for the record: where they are too many, user space takes the probes
// off.
#pragma once

#include "ring.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); // tgid, in the host's numbers
	__type(value, __u64);
} enters SEC(".maps");

static __always_inline void count_enter(__u32 tgid)
{
	__u64 *n = bpf_map_lookup_elem(&enters, &tgid);

	if (!n) {
		__u64 none = 0;
		bpf_map_update_elem(&enters, &tgid, &none, BPF_NOEXIST);
		n = bpf_map_lookup_elem(&enters, &tgid);
	}
	if (n)
		__sync_fetch_and_add(n, 1);
}
