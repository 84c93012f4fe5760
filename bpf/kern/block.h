// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Requests to watched disks, from their issue to the driver to their
// completion; only those that took long leave.
#pragma once

#include "ring.h"

// Requests that took less than this many nanoseconds are left out.
const volatile __u64 slow_io;

// Which argument of block_rq_issue the request is: it came after its queue until
// a54895fa057c ("block: remove the request_queue to argument request based
// tracepoints"). The loader looks it up; a wrong type would not be noticed.
const volatile __u32 issue_request;

// Where the fields stand in perf's events, from tracefs.
const volatile __u32 issue_dev, issue_sector, issue_bytes, issue_rwbs;
const volatile __u32 complete_dev, complete_sector, complete_sectors, complete_error;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); // MAJOR << 20 | MINOR of the whole disk
	__type(value, __u8);
} disks SEC(".maps");

// A request by its address or, of perf's events, by its place: those that were
// never seen to complete give way in the end.
struct request_key {
	__u64 at;
	__u64 dev;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct request_key);
	__type(value, struct block_io_record);
} requests SEC(".maps");

struct gendisk {
	int major;
	int first_minor;
} CORE;

struct request_queue {
	struct gendisk *disk; // d152c682f03c "block: add an explicit ->disk backpointer to the request_queue"
} CORE;

struct request {
	struct request_queue *q;
	unsigned int cmd_flags;
	unsigned int __data_len;
	__u64 __sector;
} CORE;

struct request___before_5_17 { // f3fa33acca9f "block: remove the ->rq_disk field in struct request"
	struct gendisk *rq_disk;
} CORE;

#define REQ_OP_MASK 0xff
#define NOWHERE (~0ull) // the sector of a flush

static __always_inline int is_watched(__u32 dev)
{
	return bpf_map_lookup_elem(&disks, &dev) != 0;
}

static __always_inline __u32 disk_of(struct request *rq)
{
	struct request___before_5_17 *old = (void *)rq;
	struct gendisk *disk = bpf_core_field_exists(old->rq_disk) ? old->rq_disk : rq->q->disk;

	return disk ? (__u32)disk->major << 20 | disk->first_minor : 0;
}

// A request that is issued again, after the driver gave it back, starts anew.
static __always_inline void issue(struct request_key *key, __u32 dev, __u64 sector, __u32 bytes, __u32 op)
{
	struct block_io_record rec = {};

	begin(&rec.r, KIND_BLOCK_IO, bpf_get_current_pid_tgid(), 0);
	rec.r.dev = dev;
	rec.sector = sector == NOWHERE ? 0 : sector;
	rec.bytes = bytes;
	rec.op = op;
	bpf_get_current_comm(rec.comm, sizeof(rec.comm));
	rec.start = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&requests, key, &rec, BPF_ANY))
		count_lost(KIND_BLOCK_IO);
}

static __always_inline void complete(struct request_key *key, struct block_io_record *rec, __s32 error)
{
	rec->r.at = bpf_ktime_get_ns();
	rec->error = error;
	if (rec->r.at - rec->start >= slow_io)
		emit(rec, sizeof(*rec), KIND_BLOCK_IO);
	bpf_map_delete_elem(&requests, key);
}

// Newer kernels pass a blk_status_t (include/linux/blk_types.h), above 0, older
// ones an errno, below. The kernel's own table from one to the other
// (block/blk-core.c, blk_errors) is not to be read.
static __always_inline __s32 errno_of(__s32 error)
{
	switch (error) {
	case 1: return -95;   // BLK_STS_NOTSUPP, EOPNOTSUPP
	case 2: return -110;  // BLK_STS_TIMEOUT, ETIMEDOUT
	case 3: return -28;   // BLK_STS_NOSPC, ENOSPC
	case 4: return -67;   // BLK_STS_TRANSPORT, ENOLINK
	case 5: return -121;  // BLK_STS_TARGET, EREMOTEIO
	case 6: return -52;   // BLK_STS_RESV_CONFLICT, EBADE
	case 7: return -61;   // BLK_STS_MEDIUM, ENODATA
	case 8: return -84;   // BLK_STS_PROTECTION, EILSEQ
	case 9: return -12;   // BLK_STS_RESOURCE, ENOMEM
	case 19: return -62;  // BLK_STS_DURATION_LIMIT, ETIME
	}
	return error > 0 ? -5 : error; // EIO
}

SEC("tp_btf/block_rq_issue")
int block_issue(__u64 *ctx)
{
	struct request *rq = issue_request ? (void *)ctx[1] : (void *)ctx[0];
	__u32 dev = disk_of(rq);

	if (!is_watched(dev))
		return 0;
	struct request_key key = {.at = (__u64)rq};
	issue(&key, dev, rq->__sector, rq->__data_len, rq->cmd_flags & REQ_OP_MASK);
	return 0;
}

// Of a request that completes in parts only the last one counts.
SEC("tp_btf/block_rq_complete")
int block_complete(__u64 *ctx)
{
	struct request *rq = (void *)ctx[0];
	struct request_key key = {.at = (__u64)rq};
	struct block_io_record *rec = bpf_map_lookup_elem(&requests, &key);

	if (rec && (__u32)ctx[2] >= rq->__data_len)
		complete(&key, rec, errno_of(ctx[1]));
	return 0;
}

// rwbs begins with F for a flush, and for one that goes before what else is
// asked for (kernel/trace/blktrace.c, blk_fill_rwbs).
static __always_inline __u32 op_of(const char *rwbs)
{
	char c = rwbs[0] == 'F' && rwbs[1] >= 'D' && rwbs[1] != 'M' && rwbs[1] != 'S' ? rwbs[1] : rwbs[0];

	switch (c) {
	case 'R': return 0; // REQ_OP_READ
	case 'W': return 1; // REQ_OP_WRITE
	case 'F': return 2; // REQ_OP_FLUSH
	case 'D': return 3; // REQ_OP_DISCARD
	}
	return 34; // REQ_OP_DRV_IN: none of these
}

SEC("tracepoint/block/block_rq_issue")
int block_issue_event(void *ctx)
{
	struct request_key key = {.dev = field32(ctx, issue_dev)};
	char rwbs[4] = {};

	if (!is_watched(key.dev))
		return 0;
	key.at = field64(ctx, issue_sector);
	bpf_probe_read_kernel(rwbs, sizeof(rwbs), ctx + issue_rwbs);
	issue(&key, key.dev, key.at, field32(ctx, issue_bytes), op_of(rwbs));
	return 0;
}

// What completes in parts is not found again after the first of them.
SEC("tracepoint/block/block_rq_complete")
int block_complete_event(void *ctx)
{
	struct request_key key = {.dev = field32(ctx, complete_dev)};

	if (!is_watched(key.dev))
		return 0;
	key.at = field64(ctx, complete_sector);
	if (key.at == NOWHERE) // the issue says 0 (blk_rq_trace_sector)
		key.at = 0;
	struct block_io_record *rec = bpf_map_lookup_elem(&requests, &key);
	if (rec && field32(ctx, complete_sectors) >= rec->bytes >> 9)
		complete(&key, rec, field32(ctx, complete_error));
	return 0;
}
