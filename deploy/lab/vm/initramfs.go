package vm

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/cavaliergopher/cpio"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// archive writes a guest's root as the kernel unpacks it.
type archive struct {
	*cpio.Writer
	dirs map[string]bool
}

// writeInitramfs puts together a guest: files are copied by the paths that they
// have in it, directories with all that is in them.
func writeInitramfs(w io.Writer, files map[string]string, p plan.Plan) error {
	a := &archive{cpio.NewWriter(w), map[string]bool{"/": true}}
	if err := a.skeleton(); err != nil {
		return err
	}
	for _, to := range sorted(files) {
		if err := a.tree(files[to], to); err != nil {
			return fmt.Errorf("%s: %w", to, err)
		}
	}
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := a.entry(plan.File, cpio.TypeReg|0o644, b); err != nil {
		return err
	}
	return a.Close()
}

// skeleton is the layout that programs rely on (hier(7)).
func (a *archive) skeleton() error {
	for link, to := range map[string]string{"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib64"} {
		if err := a.dir("/" + to); err != nil {
			return err
		}
		if err := a.entry(link, cpio.TypeSymlink|0o777, []byte(to)); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/etc", "/root", "/var"} {
		if err := a.dir(dir); err != nil {
			return err
		}
	}
	return a.entry("/etc/mtab", cpio.TypeSymlink|0o777, []byte("/proc/self/mounts"))
}

func (a *archive) tree(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		info, err := os.Stat(name) // a link's end: libraries are links to themselves
		if err != nil {
			return err
		}
		at := path.Join(to, filepath.ToSlash(rel))
		if info.IsDir() {
			return a.dir(at)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return a.entry(at, cpio.TypeReg|cpio.FileMode(info.Mode().Perm()), b)
	})
}

// dir makes a directory and those above it, once.
func (a *archive) dir(name string) error {
	if a.dirs[name] {
		return nil
	}
	a.dirs[name] = true
	return a.entry(name, cpio.TypeDir|0o755, nil)
}

func (a *archive) entry(name string, mode cpio.FileMode, content []byte) error {
	if err := a.dir(path.Dir(name)); err != nil {
		return err
	}
	if err := a.WriteHeader(&cpio.Header{Name: name[1:], Mode: mode, Size: int64(len(content)), Links: 1}); err != nil {
		return err
	}
	_, err := a.Write(content)
	return err
}
