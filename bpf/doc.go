// Package bpf is the kernel side and its reader: small programs that see the
// writes of traced processes to Kafka's log segments, the wake-ups between
// their threads, the file system's dirty_inode inside those writes, fsyncs, waits
// for the journal of ext4 or the log of XFS, the journal's commits and who had
// them begun, the JVM monitors that threads wait for, the starts of its threads and
// its pauses, where a thread inside a write or an fsync runs and why it left its CPU,
// and slow requests to disks.
//
// It knows the kernel's events and its own records (kern/record.h, [Decode]).
// It must not know Kafka's wire, JVMs beyond an address and a register, spans,
// or the rest of the sidecar. It is the only importer of cilium/ebpf.
//
// # Shapes and units
//
// Every record leaves through one ring buffer, is little endian, and begins
// with its kind and a version. Times are CLOCK_MONOTONIC in nanoseconds,
// processes and threads have the host's numbers, devices are the kernel's
// dev_t, MAJOR<<20 | MINOR (see [Device]). Raw records may be stored as they
// are: Decode needs no kernel and distrusts every byte.
//
// # Ways
//
// Each subject is seen by the best of several ways that loads, attaches and, for
// writes, is hit by a write of our own (subjects_linux.go, [Probes.Status]). The
// records do not tell which one it was; a commit's start and end are the
// function's by fentry, and lie a little inside it otherwise.
//
// # What it costs
//
// By fentry a write, pwrite64, writev or pwritev passes a program whose first act
// is to look the process up, and nothing else is touched. A system-call
// tracepoint, of either kind, sends each call of each process of the host through
// the kernel's slow path as well. What is remembered of a thread stays where it
// is until the thread ends, so that a write copies its record once, into the
// ring. Records do not wake the reader one by one; it looks by itself (see [Probes.Read]).
//
// The scheduler's events concern every thread of the host. Until a thread inside a
// write is off its CPU, a switch costs a look at a slot of this CPU and at one
// counter, and a wake-up that look: BenchmarkSwitch does not tell it from a program
// that does nothing. With such a thread it is 45 ns more.
//
// The programs of a handle of ext4 run 2 to 3 times a write by tp_btf or perf
// tracepoints; by fentry only where there is something to wait for. What does
// not concern a thread inside a write or an fsync ends after one lookup
// (BenchmarkJournalHit). Fsyncs, commits and log forces are too rare to matter.
//
// A probe in a library is a trap: 0.7 µs on a virtual machine where it stands on an
// instruction that the kernel emulates (a nop, call, branch or push, as all of ours
// do), 11 µs where it has to be stepped over; and the program's 0.3 µs for a monitor,
// 0.6 µs for a thread's start or an operation of the VM (BenchmarkLife).
//
// In a busy broker the programs meet cold caches and take half as long again
// as in a loop: BenchmarkHit has both.
//
// Everything is held by descriptors of this process and vanishes with it.
//
// # Where the facts come from
//
// kernel/trace/trace_syscalls.c and the format files of tracefs (layout of the
// events), fs/read_write.c (vfs_write, vfs_writev), fs/fs-writeback.c (__mark_inode_dirty),
// fs/sync.c, fs/jbd2/{commit,journal,transaction}.c, fs/ext4/{fsync,fast_commit}.c, fs/xfs/xfs_log.c,
// arch/*/include/asm/ptrace.h (pt_regs), kernel/bpf/ringbuf.c, and HotSpot's
// dtrace/hotspot.d and runtime/objectMonitor.cpp.
//
// # Limits
//
// The offset of a write to a file opened with O_APPEND is the descriptor's
// position at the entry, which the kernel ignores; Kafka does not append so.
// Of a vectored write only the first buffer is looked at. A write of one or of
// eight bytes is looked at only if the thread has written or waited since its
// last wake-up. io_uring is not seen; 32-bit processes are by fentry only.
//
// A stay off the CPU whose end the kernel does not tell of (a host may keep tasks
// of its own out of its events) is counted as lost; what follows it in the same
// write is seen. CPUs that come online later are not sampled. Of disks only those
// that have requests are seen, not what is made of several (device-mapper, md).
//
// An fsync is the function of all file systems, where the compiler has put no
// copy of it elsewhere (which is tried), or those of ext4 and XFS; system calls
// know no file of msync(2), which only ext4 names then. Who had a commit begun
// is seen by fentry; else it is whoever can have asked, and nobody where there
// are several. Waits for a handle are by fentry and kprobe those for a locked
// transaction and for room in the journal; those for reserved credits are only
// in the tracepoints. Before Linux 5.11 modules have no types: where ext4 is one,
// commits have no origin; of XFS only those forces of its log are seen that a
// traced write or fsync waits for. A force is not seen where functions are not,
// for its tracepoint has no end.
//
// By kprobe a write whose end found the kernel's few places taken by others that
// take long is lost, and counted as such.
//
// Under lockdown=confidentiality and before Linux 6.2, where programs read the
// kernel only as far as its types lead, writes are seen by fentry alone; then the
// offset of a pwrite64 is the descriptor's position, and a directory, or an
// fsync's file, with a name of 32 bytes or more has none.
package bpf
