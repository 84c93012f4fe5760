package jvm

import (
	"errors"
	"os"
	"path"
	"strings"
)

// maxLinks is the kernel's own bound on symbolic links in one path.
const maxLinks = 40

var (
	errLinks = errors.New("too many symbolic links")
	errCwd   = errors.New("its working directory may not be seen")
)

// view translates paths as a process sees them into paths that we can open.
type view struct {
	root string // its root directory: "" where it is ours
	cwd  string // its working directory, as it sees it; "" where we may not know
	jail string // where its root is in its mount namespace; "" for the top: links in /proc count from there
}

func (p proc) view() view {
	v := view{root: p.path("root")}
	v.cwd, _ = os.Readlink(p.path("cwd"))
	dir, err := os.Readlink(v.root)
	if err != nil {
		return v
	}
	if dir != "/" {
		v.jail = dir
		v.cwd = v.inside(v.cwd)
	} else if same, _ := p.sameNamespace("mnt"); same {
		v.root = ""
	}
	return v
}

// inside takes a name out of a link or a map of /proc as the process itself
// would see it.
func (v view) inside(name string) string {
	if rest, ok := strings.CutPrefix(name, v.jail); v.jail != "" && ok && (rest == "" || rest[0] == '/') {
		return path.Join("/", rest)
	}
	return name
}

// open translates name. Symbolic links are followed here and not by the
// kernel, which would take an absolute one as leading from our root.
func (v view) open(name string) (string, error) {
	if !path.IsAbs(name) {
		if v.cwd == "" {
			return "", errCwd
		}
		name = path.Join(v.cwd, name)
	}
	if v.root == "" {
		return path.Clean(name), nil
	}
	rest, done := strings.Split(path.Clean(name), "/"), "/"
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		next := path.Join(done, part)
		target, err := os.Readlink(v.root + next)
		if err != nil {
			done = next // no link, or nothing there: whoever opens it will see
			continue
		}
		if links++; links > maxLinks {
			return "", errLinks
		}
		if path.IsAbs(target) {
			done = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return v.root + done, nil
}
