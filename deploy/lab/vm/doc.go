// Package vm runs programs inside Debian's kernels: in guests of QEMU without
// KVM, each with an initramfs of one static /init, the caller's files, and
// disks of its own.
//
// It knows which kernels there are and how a guest is put together; it does not
// know what runs in it. The kernels, QEMU and the mkfs programs are Debian's
// packages, unpacked into the lab's cache, never installed (package debian).
//
// A guest is one process, which dies with this one; its files lie in a
// directory of the run's own ([cache.Run]).
//
// Facts: Documentation/driver-api/early-userspace/buffer-format.rst (cpio),
// Documentation/admin-guide/kernel-parameters.txt, qemu-system-x86_64(1).
package vm
