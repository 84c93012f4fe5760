package jvm

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// Candidates lists the processes that are Kafka brokers by their command
// line, in the order of their pids. It costs two small reads a process (one
// where it is not called "java"), so it may be asked every few seconds.
func Candidates(root string) ([]Process, error) {
	dir, err := os.Open(root)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	names, err := dir.Readdirnames(-1)
	dir.Close()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var out []Process
	for _, name := range names {
		pid, err := strconv.ParseInt(name, 10, 32)
		if err != nil {
			continue
		}
		p := proc{root, int32(pid)}
		if !p.isJava() {
			continue
		}
		argv, err := p.commandLine()
		if err != nil || !parseCommand(argv).isBroker() {
			continue
		}
		start, err := p.startTime()
		if err != nil {
			continue
		}
		out = append(out, Process{int32(pid), start})
	}
	slices.SortFunc(out, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
	return out, nil
}

// isJava looks at the name of the main thread: "java" from its launcher. Most
// processes of a host end here, so it goes round package os, whose files cost
// twice the system calls.
func (p proc) isJava() bool {
	fd, err := syscall.Open(p.path("comm"), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	var comm [16]byte
	n, err := syscall.Read(fd, comm[:])
	syscall.Close(fd)
	return err == nil && bytes.HasPrefix(comm[:max(n, 0)], []byte("java"))
}
