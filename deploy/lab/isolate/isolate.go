// Package isolate gives the whole process a mount namespace of its own, so
// that the kernel unmounts whatever it and its children mounted when the last
// of them is gone, even after SIGKILL. It also ties the process to the one
// that started it.
package isolate

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// marker says that the process has been through Mounts already.
const marker = "LAB_ISOLATED"

// Mounts makes the process live in a mount namespace of its own. It must be
// the first thing that main does: it starts the program anew, with the same
// pid and arguments, because a namespace is a thread's affair and Go has many.
// Mounts of the outside still come in; none goes out. Needs CAP_SYS_ADMIN.
func Mounts() error {
	if os.Getenv(marker) == "1" {
		return os.Unsetenv(marker) // not inherited: a child may isolate itself
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	err := unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), marker+"=1"))
	return fmt.Errorf("start anew in the mount namespace: %w", err)
}

// FollowParent asks the kernel to end this process (SIGTERM) when the one that
// started it, make for instance, dies.
func FollowParent() error {
	parent := unix.Getppid()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0); err != nil {
		return fmt.Errorf("follow parent: %w", err)
	}
	if now := unix.Getppid(); now != parent { // it died in between
		return fmt.Errorf("follow parent: %d is gone", parent)
	}
	return nil
}
