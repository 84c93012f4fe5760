// Package stack names the functions of a kernel stack and says in a word why a
// thread of the kernel is where its stack says that it is.
//
// It knows function names and /proc/kallsyms; it must not know records, events
// or spans. The functions are those of Linux 5.10 to 6.18 (fs/jbd2, fs/ext4,
// fs/xfs, mm, block, kernel/sched, kernel/locking).
package stack
