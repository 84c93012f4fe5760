package jvm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	maxStatus  = 16 << 10 // /proc/PID/status is under 2 KB
	maxStat    = 4 << 10
	maxCmdline = 4 << 20 // the kernel's own bound is 6 MB, Kafka's class path 20 KB
)

// ErrGone says that the process does not exist (any more).
var ErrGone = errors.New("no such process")

// errZombie says that it has ended, and that its parent has not heard of it.
var errZombie = fmt.Errorf("%w: a zombie", ErrGone)

// Process names one process for good: a pid is recycled, its start is not.
type Process struct {
	PID       int32
	StartTime uint64 // clock ticks since boot: field 22 of /proc/PID/stat
}

// Alive says whether the process that had this pid and start still runs.
func Alive(root string, p Process) bool {
	start, err := proc{root, p.PID}.startTime()
	return err == nil && start == p.StartTime
}

// lives is nil while the process runs that had this pid and start, ErrGone
// when it has ended, and another error where that cannot be seen: what hangs on
// its end must not take the one for the other.
func (p Process) lives(root string) error {
	start, err := proc{root, p.PID}.startTime()
	switch {
	case errors.Is(err, errZombie):
		return ErrGone
	case errors.Is(err, ErrGone) && syscall.Kill(int(p.PID), 0) == syscall.EPERM:
		return fmt.Errorf("process %d may not be looked at: %w", p.PID, fs.ErrPermission) // /proc with hidepid
	case err == nil && start != p.StartTime:
		return ErrGone
	}
	return err
}

// proc is one directory below the root of a proc file system.
type proc struct {
	root string
	pid  int32
}

func (p proc) path(name string) string {
	return p.root + "/" + strconv.Itoa(int(p.pid)) + "/" + name
}

func (p proc) read(name string, limit int64) ([]byte, error) {
	return readBounded(p.path(name), limit)
}

// startTime fails with ErrGone also for a zombie: nobody can be traced there.
func (p proc) startTime() (uint64, error) {
	b, err := p.read("stat", maxStat)
	if err != nil {
		return 0, gone(err)
	}
	// The name in parentheses may hold anything, so count from its end.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("parse %s: too few fields", p.path("stat"))
	}
	if state := fields[0][0]; state == 'Z' || state == 'X' {
		return 0, errZombie
	}
	return strconv.ParseUint(string(fields[19]), 10, 64)
}

func (p proc) commandLine() ([]string, error) {
	b, err := p.read("cmdline", maxCmdline)
	if err != nil {
		return nil, gone(err)
	}
	s := strings.TrimSuffix(string(b), "\x00")
	if s == "" {
		return nil, nil // a kernel thread or a zombie
	}
	return strings.Split(s, "\x00"), nil
}

// sameNamespace says whether the process shares a namespace ("mnt", "net")
// with us; known is false where that may not be seen.
func (p proc) sameNamespace(kind string) (same, known bool) {
	theirs, err := os.Readlink(p.path("ns/" + kind))
	if err != nil {
		return false, false
	}
	ours, err := os.Readlink(filepath.Join(p.root, "self/ns", kind))
	return ours == theirs, err == nil
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return ErrGone
	}
	return err
}

// readBounded reads a whole regular or proc file. A longer one is an error: half a
// setting is worse than none. A pipe or device never blocks it.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return nil, err
	} else if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: not a regular file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("read %s: longer than %d bytes", path, limit)
	}
	return b, nil
}
