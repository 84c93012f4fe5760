package bpf

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"

	"github.com/cilium/ebpf"
)

// ErrNotHere says that this kernel, or what we are allowed on it, does not
// offer a probe: nothing is broken, there is just less to see.
var ErrNotHere = errors.New("not available here")

// Names of the subjects of [Probes.Status].
const (
	SubjectWrite      = "write"
	SubjectWake       = "wake"
	SubjectDirtyInode = "dirty_inode"
	SubjectJournal    = "journal"
	SubjectMonitor    = "monitor"
)

// Subject is one thing to be seen, and how it is.
type Subject struct {
	Name     string
	Backend  string    // one of the backends, "uprobe_multi" or "uprobe"; "" for none
	Attached bool      // a monitor is attached per process: at least one is
	Err      error     // what is missing, also of an attached one; see [ErrNotHere]
	Tried    []Attempt // the better ways, and why they are not to be had here
}

var notHere = []error{fs.ErrNotExist, fs.ErrPermission, errors.ErrUnsupported,
	syscall.EPERM, syscall.EACCES, syscall.EINVAL, syscall.ENODEV, syscall.EROFS}

// judge tells "not here" from "broken": what the kernel lacks or refuses is not
// here; what the verifier rejects and a changed layout are broken.
func judge(err error) error {
	var rejected *ebpf.VerifierError
	if err == nil || errors.Is(err, ErrNotHere) || errors.As(err, &rejected) {
		return err
	}
	if slices.ContainsFunc(notHere, func(e error) bool { return errors.Is(err, e) }) {
		return fmt.Errorf("%w: %w", ErrNotHere, err)
	}
	return err
}
