// Package slowdisk makes a file system whose disk stalls now and then: a FUSE file
// system with a single file that holds its I/O back, a loop device on that file
// (direct I/O: no page cache in between), an ext4 with a journal on it, or an XFS.
// So a jbd2 commit takes as long as the disk holds still, and whoever needs a
// metadata block of that commit waits: what the lab wants to see.
//
// The FUSE server is a process of its own: a process that touched its own file
// system would wait for itself for ever. When it dies the kernel fails the I/O
// that it held, so nothing hangs; the loop device clears itself with its last
// user. Main must therefore be called first in every program (and TestMain)
// that uses New.
package slowdisk
