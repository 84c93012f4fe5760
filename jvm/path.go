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
}

func (p proc) view() view {
	v := view{root: p.path("root")}
	v.cwd, _ = os.Readlink(p.path("cwd"))
	if dir, err := os.Readlink(v.root); err != nil {
		return v
	} else if dir != "/" && v.cwd != "" { // a chroot: the link to the cwd counts from our root
		v.cwd = path.Join("/", strings.TrimPrefix(v.cwd, dir))
	} else if same, _ := p.sameNamespace("mnt"); same && dir == "/" {
		v.root = ""
	}
	return v
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
