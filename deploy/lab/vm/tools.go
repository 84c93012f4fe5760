package vm

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/vm/debian"
)

// toolSuite has QEMU 10: 7.2 cannot run Linux 6.12.
const toolSuite = "trixie"

// toolPackages hold what runs on the host, and what guests are given.
var toolPackages = []string{"qemu-system-x86", "e2fsprogs", "xfsprogs", "xz-utils", "mount", "coreutils"}

const (
	libraries = "usr/lib/x86_64-linux-gnu"
	loader    = "usr/lib64/ld-linux-x86-64.so.2"
)

// Tools is a tree of Debian's programs with every library that they need, down
// to the C library: they run beside whatever distribution this is.
type Tools struct{ root string }

func getTools(ctx context.Context, cacheDir string, progress io.Writer) (*Tools, error) {
	root := filepath.Join(cacheDir, "vm-tools-"+toolSuite+"-"+digest(toolPackages...))
	err := once(ctx, root, func(tmp string) error {
		fmt.Fprintf(progress, "  QEMU and mkfs of Debian %s: getting the lists\n", toolSuite)
		lists, err := os.MkdirTemp(cacheDir, "vm-lists-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(lists)
		suite, err := debian.Open(ctx, lists, toolSuite)
		if err != nil {
			return err
		}
		packages, err := suite.DownloadClosure(ctx, toolPackages...)
		if err != nil {
			return err
		}
		for i, p := range packages {
			if i%40 == 0 {
				fmt.Fprintf(progress, "  unpacking %d of %d packages\n", i+1, len(packages))
			}
			if err := debian.Unpack(ctx, p, tmp); err != nil {
				return err
			}
		}
		return nil
	})
	return &Tools{root}, err
}

// Command is one of the programs, to be run on this host.
func (t *Tools) Command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	program, err := t.find(name)
	if err != nil {
		return nil, err
	}
	all := append([]string{"--library-path", filepath.Join(t.root, libraries), program}, args...)
	cmd := child.Guard(exec.CommandContext(ctx, filepath.Join(t.root, loader), all...))
	cmd.Env = append(os.Environ(),
		"QEMU_MODULE_DIR="+filepath.Join(t.root, libraries, "qemu"),
		"MKE2FS_CONFIG="+filepath.Join(t.root, "etc/mke2fs.conf"))
	return cmd, nil
}

func (t *Tools) find(name string) (string, error) {
	for _, dir := range []string{"usr/bin", "usr/sbin"} {
		path := filepath.Join(t.root, dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no program %s: %w", name, fs.ErrNotExist)
}

// Files are programs and the libraries that they need, as [Options.Files] has
// them.
func (t *Tools) Files(names ...string) (map[string]string, error) {
	files := map[string]string{"/" + loader: filepath.Join(t.root, loader)}
	for _, name := range names {
		program, err := t.find(name)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(t.root, program)
		if err != nil {
			return nil, err
		}
		files["/"+rel] = program
		if err := t.libraries(program, files); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// libraries adds what an object needs, and what that needs.
func (t *Tools) libraries(object string, files map[string]string) error {
	f, err := elf.Open(object)
	if err != nil {
		return fmt.Errorf("%s: %w", object, err)
	}
	defer f.Close()
	needed, err := f.ImportedLibraries()
	if err != nil {
		return fmt.Errorf("%s: %w", object, err)
	}
	for _, lib := range needed {
		at := "/" + filepath.Join(libraries, lib)
		if files[at] != "" || lib == filepath.Base(loader) {
			continue
		}
		files[at] = filepath.Join(t.root, at)
		if err := t.libraries(files[at], files); err != nil {
			return err
		}
	}
	return nil
}

// shares are QEMU's directories of firmware.
func (t *Tools) shares() []string {
	var args []string
	for _, dir := range []string{"usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"} {
		args = append(args, "-L", filepath.Join(t.root, dir))
	}
	return args
}

// run runs a program to its end; what it says explains its failure.
func (t *Tools) run(ctx context.Context, name string, args ...string) error {
	cmd, err := t.Command(ctx, name, args...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), errors.New(string(out)))
	}
	return nil
}
