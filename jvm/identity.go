package jvm

import (
	"fmt"
	"strconv"
	"strings"
)

// identity is who a process is (proc_pid_status(5)).
type identity struct {
	user              // effective
	nspid       int32 // in the innermost pid namespace
	nested      bool  // that namespace is not that of /proc
	catchesQuit bool  // SIGQUIT does not end it
}

// who reads a process's identity.
func (p proc) who() (identity, error) {
	b, err := p.read("status", maxStatus)
	if err != nil {
		return identity{}, gone(err)
	}
	return parseStatus(string(b), p.pid)
}

func parseStatus(text string, pid int32) (who identity, err error) {
	who.nspid = pid
	number := func(s string, base, size int) uint64 {
		n, e := strconv.ParseUint(s, base, size)
		if e != nil && err == nil {
			err = fmt.Errorf("parse status: %w", e)
		}
		return n
	}
	const quit = 1 << (3 - 1) // SIGQUIT
	var caught, ignored uint64
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) >= 3 && f[0] == "Uid:":
			who.user.uid = uint32(number(f[2], 10, 32))
		case len(f) >= 3 && f[0] == "Gid:":
			who.user.gid = uint32(number(f[2], 10, 32))
		case len(f) >= 2 && f[0] == "NSpid:":
			who.nspid, who.nested = int32(number(f[len(f)-1], 10, 31)), len(f) > 2
		case len(f) == 2 && f[0] == "SigCgt:":
			caught = number(f[1], 16, 64)
		case len(f) == 2 && f[0] == "SigIgn:":
			ignored = number(f[1], 16, 64)
		}
	}
	who.catchesQuit = caught&^ignored&quit != 0
	return who, err
}
