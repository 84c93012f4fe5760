package jvm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

const (
	maxMaps    = 64 << 20 // a line is 100 bytes, vm.max_map_count 262,144
	maxRelease = 64 << 10
)

// ErrNoJVM says that the process has no libjvm.so mapped: it is none, or it
// has only just begun.
var ErrNoJVM = errors.New("no libjvm.so is mapped")

// library is the libjvm.so that a process has mapped.
type library struct {
	path       string // can be opened by us
	start      uint64 // address of the first mapping
	offset     uint64 // of the first mapping in the file
	name       string // as the process sees it
	span       string // "start-end", the name below map_files
	dev, inode uint64
	deleted    bool
}

// library finds libjvm.so in the process's maps and a path to the very same
// file. doubt, if any, says why the file may be another.
func (p proc) library(v view) (lib library, doubt, err error) {
	if lib, err = p.mapped(); err != nil {
		return lib, nil, err
	}
	lib.name = v.inside(lib.name)
	lib.path = v.root + lib.name
	at, atErr := stat(lib.path)
	if !lib.deleted && atErr == nil && lib.is(at) {
		return lib, nil, nil
	}
	// On an overlay maps and stat disagree about the device. The link below
	// map_files is the mapped file itself, for those who may follow it.
	exact := p.path("map_files/" + lib.span)
	if it, err := stat(exact); err == nil {
		if atErr != nil || it.Dev != at.Dev || it.Ino != at.Ino {
			lib.path = exact
		}
		return lib, nil, nil
	}
	switch {
	case lib.deleted:
		return lib, nil, fmt.Errorf("%s was deleted or replaced since the JVM began", lib.name)
	case atErr != nil:
		return lib, nil, fmt.Errorf("look at %s: %w", lib.name, atErr)
	case at.Ino != lib.inode:
		doubt = fmt.Errorf("%s cannot be proved to be the mapped one", lib.name)
	}
	return lib, doubt, nil
}

func (l library) is(st syscall.Stat_t) bool { return st.Dev == l.dev && st.Ino == l.inode }

func stat(path string) (st syscall.Stat_t, err error) {
	err = syscall.Stat(path, &st)
	return st, err
}

func (p proc) mapped() (library, error) {
	f, err := os.Open(p.path("maps"))
	if err != nil {
		return library{}, gone(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxMaps))
	for lines.Scan() {
		if !strings.Contains(lines.Text(), "/libjvm.so") {
			continue
		}
		return parseMapping(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return library{}, gone(err)
	}
	return library{}, ErrNoJVM
}

// parseMapping reads a line of /proc/PID/maps:
// start-end perms offset major:minor inode name.
func parseMapping(line string) (library, error) {
	bad := fmt.Errorf("parse maps: %q", line)
	f := strings.Fields(line)
	slash := strings.IndexByte(line, '/')
	if len(f) < 6 || slash < 0 {
		return library{}, bad
	}
	l := library{span: f[0]}
	l.name, l.deleted = strings.CutSuffix(line[slash:], " (deleted)")
	start, _, _ := strings.Cut(f[0], "-")
	major, minor, _ := strings.Cut(f[3], ":")
	var dev [2]uint64
	for _, n := range []struct {
		text string
		base int
		to   *uint64
	}{{start, 16, &l.start}, {f[2], 16, &l.offset}, {major, 16, &dev[0]}, {minor, 16, &dev[1]}, {f[4], 10, &l.inode}} {
		v, err := strconv.ParseUint(n.text, n.base, 64)
		if err != nil {
			return library{}, bad
		}
		*n.to = v
	}
	l.dev = makedev(dev[0], dev[1])
	return l, nil
}

// makedev builds the dev_t of stat(2) (sys/sysmacros.h).
func makedev(major, minor uint64) uint64 {
	return minor&0xff | major&0xfff<<8 | minor&^0xff<<12 | major&^0xfff<<32
}

// version reads JAVA_VERSION of the release file above lib/server/libjvm.so
// (JDK 8: jre/lib/amd64/server); "" where there is none.
func (l library) version(v view) string {
	for dir, i := path.Dir(l.name), 0; i < 5 && dir != "/"; dir, i = path.Dir(dir), i+1 {
		b, err := readBounded(v.root+dir+"/release", maxRelease)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if s, ok := strings.CutPrefix(line, "JAVA_VERSION="); ok {
				return strings.Trim(strings.TrimSpace(s), `"`)
			}
		}
	}
	return ""
}
