// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// One object holds every subject; the loader takes out what the kernel has.
#include "write.h"
#include "inode.h"
#include "journal.h"
#include "monitor.h"

// Several helpers are for GPL-compatible programs only.
char _license[] SEC("license") = "GPL";
