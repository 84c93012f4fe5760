package jvm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ErrOtherUser says that a JVM of another user answers nobody else:
// CAP_SETUID and CAP_SETGID are lacking.
var ErrOtherUser = errors.New("the JVM is another user's")

// user is an effective uid and gid, as our own user namespace has them.
type user struct{ uid, gid uint32 }

func ourselves() user { return user{uint32(os.Geteuid()), uint32(os.Getegid())} }

// taking is held while a thread has another user's identity.
var taking sync.Mutex

// do runs f as that user: on an OS thread of its own, which alone takes the
// identity and ends with f. The process's other threads keep theirs; so no
// function of package syscall may be used for it, they change all threads.
// f must do what it does on the goroutine that calls it.
//
// A process is no longer dumpable once a thread of it has changed its user
// (kernel/cred.c, commit_creds), which keeps that user from tracing the thread.
// What it was before is restored when the thread is gone.
func (u user) do(f func() error) error {
	if u == ourselves() {
		return f()
	}
	taking.Lock()
	defer taking.Unlock()
	dumpable, _ := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	var tid int
	err := onOwnThread(func() error {
		tid = unix.Gettid()
		if err := u.become(); err != nil {
			return err
		}
		return f()
	})
	if ended(tid) && dumpable == 1 {
		_ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) // less is no harm
	}
	return err
}

// onOwnThread runs f on an OS thread that ends with it. The main thread cannot
// end, and the system takes its identity for the process's: it is kept out of
// the way while f runs on another.
func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: Go ends the thread with the goroutine
		if unix.Gettid() != unix.Getpid() {
			done <- f()
			return
		}
		done <- onOwnThread(f)
		runtime.UnlockOSThread()
	}()
	return <-done
}

// ended waits for a thread's end.
func ended(tid int) bool {
	for range 1000 {
		if errors.Is(unix.Tgkill(unix.Getpid(), tid, 0), unix.ESRCH) {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// become changes the calling thread's user, by the bare system calls.
func (u user) become() error {
	uid, gid := uintptr(u.uid), uintptr(u.gid)
	for _, c := range []struct {
		name    string
		trap    uintptr
		a, b, c uintptr
	}{
		{"setgroups", unix.SYS_SETGROUPS, 0, 0, 0},
		{"setresgid", unix.SYS_SETRESGID, gid, gid, gid},
		{"setresuid", unix.SYS_SETRESUID, uid, uid, uid},
	} {
		_, _, errno := unix.RawSyscall(c.trap, c.a, c.b, c.c)
		if errno == unix.EPERM {
			return fmt.Errorf("%w, uid %d: %s takes CAP_SETUID and CAP_SETGID", ErrOtherUser, u.uid, c.name)
		}
		if errno != 0 {
			return fmt.Errorf("become uid %d: %s: %w", u.uid, c.name, errno)
		}
	}
	return nil
}
