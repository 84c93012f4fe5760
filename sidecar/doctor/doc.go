// Package doctor says what the host, its kernel, the JVM and the broker allow:
// for each kind of span where it will come from, or why it will be missing
// and the one thing to do about it.
//
// It asks by doing: probes are loaded and attached, a packet socket is opened,
// and all is let go of again. Only tracefs stays mounted, where it was not.
// It starts and changes nothing else, and never switches a JVM's flag.
//
// Sources: capabilities(7), proc(5), packet(7), kernel_lockdown(7), and
// fs/jbd2/journal.c for the names below /proc/fs/jbd2.
package doctor
