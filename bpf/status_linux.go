package bpf

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
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
	SubjectLife       = "jvm_life" // of a JVM: its threads' starts, its pauses

	SubjectFsync        = "fsync"
	SubjectHandleWait   = "handle_wait"   // of jbd2
	SubjectCommitOrigin = "commit_origin" // likewise
	SubjectCommitStats  = "commit_stats"  // likewise
	SubjectFastCommit   = "fast_commit"   // of ext4
	SubjectLogGrant     = "log_grant"     // of XFS
	SubjectLogForce     = "log_force"     // likewise
	SubjectOffCPU       = "off_cpu"
	SubjectSample       = "sample"
	SubjectBlockIO      = "block_io"
	SubjectPark         = "park"
	SubjectParker       = "park_usdt" // the same, by HotSpot's probes
)

// Subject is one thing to be seen, and how it is.
type Subject struct {
	Name     string
	Backend  string    // one of the backends, "uprobe_multi", "uprobe" or "uprobe_copy"; "" for none
	Attached bool      // those of a process (PerProcess): to at least one
	Err      error     // what is missing, also of an attached one; see [ErrNotHere]
	Tried    []Attempt // the better ways, and why they are not to be had here
}

var notHere = []error{btf.ErrNotFound, fs.ErrNotExist, fs.ErrPermission, errors.ErrUnsupported, ebpf.ErrNotSupported,
	syscall.EPERM, syscall.EACCES, syscall.EINVAL, syscall.ENODEV, syscall.EROFS}

// judge tells "not here" from "broken": what the kernel lacks or refuses is not
// here; what the verifier rejects and a changed layout are broken.
func judge(err error) error {
	var rejected *ebpf.VerifierError
	if err == nil || errors.Is(err, ErrNotHere) {
		return err
	}
	if errors.As(err, &rejected) {
		if !slices.ContainsFunc(rejected.Log, isUnknownFunction) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrNotHere, err)
	}
	if slices.ContainsFunc(notHere, func(e error) bool { return errors.Is(err, e) }) {
		return fmt.Errorf("%w: %w", ErrNotHere, err)
	}
	return err
}

// isUnknownFunction finds the verifier's word for a function that this kernel does
// not have or, under lockdown, does not give (kernel/bpf/verifier.c,
// check_helper_call).
func isUnknownFunction(line string) bool {
	return strings.Contains(line, "unknown func ") || strings.Contains(line, "invalid func unknown#")
}
