// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// One object holds every subject; the loader takes out what the kernel has.
#include "syscall.h"
#include "vfs.h"
#include "inode.h"
#include "journal.h"
#include "monitor.h"
#include "jvmlife.h"
#include "fsync.h"
#include "wait.h"
#include "origin.h"
#include "stats.h"
#include "fastcommit.h"
#include "xfs.h"
#include "sched.h"
#include "park.h"
#include "parker.h"
#include "sample.h"
#include "block.h"

// The following are never attached. Loads only where programs may look through
// kernel pointers:
SEC("raw_tp/sched_process_exit")
int read_directly(void *ctx)
{
	struct file *file = file_of(0);

	(void)ctx;
	if (file) {
		struct inode *inode = GET(file, f_inode);
		return GET(inode, i_mode);
	}
	return 0;
}

// Loads only where programs may read any memory of the kernel.
SEC("raw_tp/sched_process_exit")
int read_memory(void *ctx)
{
	__u64 word = 0;
	bpf_probe_read_kernel(&word, sizeof(word), ctx);
	return word;
}

// Run by its loader, says which process that is in the host's numbers.
SEC("raw_tp/sched_process_exit")
int who_loads(void *ctx)
{
	(void)ctx;
	return bpf_get_current_pid_tgid() >> 32;
}

// Several helpers are for GPL-compatible programs only.
char _license[] SEC("license") = "GPL";
