package rights

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrCgo says that a binary built with cgo has threads that Go does not know:
// nothing was given up.
var ErrCgo = errors.New("built with cgo: capabilities cannot be given up on all threads")

// GiveUp leaves every thread of this process with no capability but those to
// keep, of which it must not have all, and without a way back: neither by
// executing a file (no_new_privs, an empty bounding set, nothing inheritable or
// ambient) nor by asking again. It returns what is left.
//
// What is open stays open. Without CAP_SETPCAP the bounding set stays as it is,
// which no_new_privs makes harmless.
func GiveUp(keep Set) (left Set, err error) {
	w, err := get()
	if err != nil {
		return 0, err
	}
	if err := onAll("set no_new_privs", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return w.effective(), err
	}
	if w.effective().Has(Of(unix.CAP_SETPCAP)) {
		if err := dropBounding(); err != nil {
			return w.effective(), err
		}
	}
	if err := onAll("clear ambient set", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL); err != nil {
		return w.effective(), err
	}
	left = w.permitted() & keep
	less, h := words{}, header()
	less.setEffective(left)
	less.setPermitted(left)
	err = onAll("capset", unix.SYS_CAPSET, uintptr(unsafe.Pointer(&h)), uintptr(unsafe.Pointer(&less[0])))
	if err != nil {
		return w.effective(), err
	}
	return left, nil
}

// dropBounding empties the bounding set; the kernel knows as many as it takes.
func dropBounding() error {
	for n := uintptr(0); n < 64; n++ {
		err := onAll("drop from bounding set", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, n)
		if errors.Is(err, unix.EINVAL) { // beyond the last that this kernel knows
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// onAll makes a system call on every thread.
//
//go:uintptrescapes
func onAll(what string, trap, a, b uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall(trap, a, b, 0)
	if errno == syscall.ENOTSUP {
		return ErrCgo
	}
	if errno != 0 {
		return fmt.Errorf("%s: %w", what, errno)
	}
	return nil
}
