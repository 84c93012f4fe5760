// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The few kernel types and constants that the programs use. Structures name
// only the members that are read; CO-RE finds them in the running kernel's BTF
// at load, so neither order nor size here means anything.
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

// include/uapi/linux/bpf.h
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LRU_PERCPU_HASH = 10,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum {
	BPF_ANY,
	BPF_NOEXIST,
};
enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

// include/uapi/linux/stat.h
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFIFO 0010000

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define CORE __attribute__((preserve_access_index))

struct super_block {
	__u32 s_dev;
} CORE;

struct inode {
	__u16 i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
} CORE;

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
	};
	const unsigned char *name;
} CORE;

// The registers at a function's entry (kprobes) or a system call's.
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r10, dx, cx, si, di, ax, orig_ax;
	__u16 cs;
} CORE;
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	unsigned long regs[31];
	unsigned long pstate;
	unsigned long orig_x0;
	__s32 syscallno;
} CORE;
#endif

// A function's arguments at its entry, and what it returned at its end.
#if defined(__TARGET_ARCH_x86)
#define ARGUMENT_1(r) ((r)->di)
#define ARGUMENT_2(r) ((r)->si)
#define ARGUMENT_3(r) ((r)->dx)
#define ARGUMENT_4(r) ((r)->cx)
#define RETURNED(r) ((r)->ax)
#elif defined(__TARGET_ARCH_arm64)
#define ARGUMENT_1(r) ((r)->regs[0])
#define ARGUMENT_2(r) ((r)->regs[1])
#define ARGUMENT_3(r) ((r)->regs[2])
#define ARGUMENT_4(r) ((r)->regs[3])
#define RETURNED(r) ((r)->regs[0])
#endif

// Any structure of two numbers would do: see read_kernel.
struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
} CORE;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	unsigned char d_iname[32]; // holds a name of up to 31 bytes; elsewhere since 6.14
} CORE;

struct path {
	struct dentry *dentry;
} CORE;

struct file {
	struct inode *f_inode;
	struct path f_path;
	__s64 f_pos;
} CORE;

// fs/jbd2; its times are jiffies, but for t_start_time (CLOCK_MONOTONIC).
struct block_device {
	__u32 bd_dev;
} CORE;

typedef struct {
	int counter;
} CORE atomic_t;

struct transaction_s {
	__u32 t_tid;
	enum { T_RUNNING } t_state; // of more
	unsigned long t_requested;
	unsigned long t_expires;
	__s64 t_start_time;
	atomic_t t_outstanding_credits;
} CORE;

struct journal_s {
	struct transaction_s *j_running_transaction;
	struct block_device *j_fs_dev;
	__u32 j_commit_sequence;
	unsigned long j_free;
	unsigned long j_first;
	unsigned long j_last;
	__u32 j_transaction_sequence;
	__u32 j_commit_request;
	int j_max_transaction_buffers;
} CORE;

struct transaction_run_stats_s {
	unsigned long rs_wait;
	unsigned long rs_request_delay;
	unsigned long rs_running;
	unsigned long rs_locked;
	unsigned long rs_flushing;
	unsigned long rs_logging;
	__u32 rs_handle_count;
	__u32 rs_blocks;
	__u32 rs_blocks_logged;
} CORE;

// fs/xfs
struct xfs_mount {
	struct super_block *m_super;
} CORE;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;

struct files_struct {
	struct fdtable *fdt;
} CORE;

struct task_struct {
	struct files_struct *files;
	int pid; // the thread's
	int tgid;
	unsigned int __state;
	unsigned in_iowait : 1;
	char comm[16];
} CORE;

// Any structure of one pointer would do: see file_at.
struct hlist_head {
	struct hlist_node *first;
} CORE;

// From 6.2 on a program may look through a kernel pointer itself, which costs a
// load; before, each look is a call of bpf_probe_read_kernel. Either way a bad
// pointer reads as zero (a35b9af4ec2c "bpf: Add a kfunc for generic type cast").
const volatile _Bool direct;

// Set for ways all of whose pointers begin at an argument that BTF types (fentry,
// tp_btf): since 5.5 these may be looked through, but not what they do not type:
// strings, arrays of pointers.
const volatile _Bool typed;

// Whether bpf_probe_read_kernel is there: not under lockdown=confidentiality.
const volatile _Bool reads = 1;

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __attribute__((weak));

#define GET(p, field)                                    \
	({                                               \
		typeof((p)->field) _v;                   \
		if (direct || typed)                     \
			_v = (p)->field;                 \
		else                                     \
			_v = BPF_CORE_READ((p), field);  \
		_v;                                      \
	})

// A kernel pointer that came as a bare number.
#define POINTER(type, value)                                                          \
	({                                                                            \
		void *_p = (void *)(value);                                           \
		if (direct)                                                           \
			_p = bpf_rdonly_cast(_p, bpf_core_type_id_kernel(type));      \
		(type *)_p;                                                           \
	})

static __always_inline struct task_struct *current_task(void)
{
	if (direct)
		return (void *)bpf_get_current_task_btf();
	return (void *)bpf_get_current_task();
}

// A file of a table of them: BTF does not lead through an array of pointers.
static __always_inline struct file *file_at(struct file **slot)
{
	struct file *file = 0;

	if (direct) {
		struct hlist_head *one = bpf_rdonly_cast(slot, bpf_core_type_id_kernel(struct hlist_head));
		return bpf_rdonly_cast(one->first, bpf_core_type_id_kernel(struct file));
	}
	bpf_probe_read_kernel(&file, sizeof(file), slot);
	return file;
}

// Copies size bytes of the kernel, rounded up to 16. It costs a few loads where
// a call of bpf_probe_read_kernel costs tens of nanoseconds.
static __always_inline void read_kernel(void *to, const void *from, __u32 size)
{
	__u64 *words = to;

	for (__u32 i = 0; i < (size + 15) / 16; i++) {
		struct timespec64 *two = bpf_rdonly_cast(from + 16 * i, bpf_core_type_id_kernel(struct timespec64));
		words[2 * i] = two->tv_sec;
		words[2 * i + 1] = two->tv_nsec;
	}
}

// The thread's name; one that fills all 16 bytes ends by a NUL in any case.
static __always_inline void read_comm(char *comm)
{
	if (direct)
		read_kernel(comm, (void *)current_task() + bpf_core_field_offset(struct task_struct, comm), 16);
	else
		bpf_get_current_comm(comm, 16);
}

// A field of a perf event, where tracefs says it is.
static __always_inline __u32 field32(void *ctx, __u32 offset)
{
	__u32 v = 0;
	bpf_probe_read_kernel(&v, sizeof(v), ctx + offset);
	return v;
}

static __always_inline __u64 field64(void *ctx, __u32 offset)
{
	__u64 v = 0;
	bpf_probe_read_kernel(&v, sizeof(v), ctx + offset);
	return v;
}

// What a perf tracepoint on a system call hands over. The layout is the same
// for all of them (kernel/trace/trace_syscalls.c); the loader checks it against
// tracefs all the same.
struct sys_enter {
	__u64 common;
	__u64 nr;
	__u64 args[6];
};

struct sys_exit {
	__u64 common;
	__u64 nr;
	__s64 ret;
};

// include/uapi/linux/uio.h
struct iovec {
	__u64 base;
	__u64 len;
};
