// Package doctor says what the host, its kernel, the JVM and the broker allow:
// for each kind of span where it will come from, or why it will be missing
// and the one thing to do about it.
//
// It asks by doing: probes are loaded and attached, also to the JVM, a packet
// socket is opened, and all is let go of again. Only tracefs stays mounted,
// where it was not. It starts and changes nothing else, reads nothing from a
// disk, and never switches a JVM's flag: it says whether that could be done, and
// what was left switched on.
//
// kinds.go is the table of the kinds of span: which of package bpf's subjects
// each is made of, and on which file systems there is such a thing. A probe
// that falls to a worse backend shows the same, so it is no flaw.
//
// Sources: capabilities(7), proc(5), packet(7), kernel_lockdown(7), perf_event_
// open(2), fs/jbd2/journal.c for the names below /proc/fs/jbd2,
// Documentation/filesystems/ext4/super.rst, fs/xfs/libxfs/xfs_fs.h.
package doctor
