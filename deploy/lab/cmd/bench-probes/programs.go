package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf"
)

// usage is what programs of a process have run so far, or in a stretch.
type usage struct {
	hits uint64
	took time.Duration
}

// usages are by the program's name, as the kernel has it: at most 15 bytes.
type usages map[string]usage

// readUsages reads those of all programs that a process holds.
func readUsages(pid int) (usages, error) {
	ids, err := programIDs(pid)
	if err != nil {
		return nil, err
	}
	all := usages{}
	for _, id := range ids {
		prog, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("open program %d: %w", id, err)
		}
		info, err1 := prog.Info()
		stats, err2 := prog.Stats()
		prog.Close()
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("read program %d: %w", id, err)
		}
		u := all[info.Name]
		u.hits += stats.RunCount
		u.took += stats.Runtime
		all[info.Name] = u
	}
	return all, nil
}

// programIDs finds the programs among a process's descriptors and their links
// (/proc/PID/fdinfo has "prog_id:" for both).
func programIDs(pid int) ([]ebpf.ProgramID, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		return nil, err
	}
	seen := map[ebpf.ProgramID]bool{}
	var ids []ebpf.ProgramID
	for _, file := range files {
		info, err := os.ReadFile(file)
		if err != nil {
			continue // closed meanwhile
		}
		for line := range strings.Lines(string(info)) {
			text, ok := strings.CutPrefix(line, "prog_id:")
			if !ok {
				continue
			}
			n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
			if err != nil {
				return nil, fmt.Errorf("parse %s: %w", file, err)
			}
			if id := ebpf.ProgramID(n); !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

// minus is what was added since before.
func (u usages) minus(before usages) usages {
	d := usages{}
	for name, after := range u {
		b := before[name]
		if after.hits > b.hits {
			d[name] = usage{after.hits - b.hits, after.took - b.took}
		}
	}
	return d
}
