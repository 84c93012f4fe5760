package vm

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/vm/debian"
)

// Kernel is one of Debian's, for amd64.
type Kernel struct {
	Name  string // as one speaks of it: 5.10
	Suite string // Debian's, which has the package
	meta  string // the package that depends on the newest image
}

// Kernels are what there is to run in, from the oldest on. The cloud images
// have ext4 and NVMe built in, and XFS as a module; in the plain ones all of
// these are modules, of which 5.10 has no BTF.
var Kernels = []Kernel{
	{"5.10", "bullseye-security", "linux-image-cloud-amd64"},
	{"5.10-modules", "bullseye-security", "linux-image-amd64"},
	{"6.1", "bookworm-security", "linux-image-cloud-amd64"},
	{"6.12", "trixie", "linux-image-cloud-amd64"},
}

// wanted modules of every guest: its disks and file systems, and what these
// ask for by another name than a module's.
var wanted = []string{"crc32c_generic", "nvme", "ext4", "xfs", "loop"}

// Image is a kernel in the cache.
type Image struct {
	Kernel
	Release string // as uname -r has it
	dir     string
}

func (i *Image) vmlinuz() string { return filepath.Join(i.dir, "vmlinuz") }

// modules are files in the order of loading.
func (i *Image) modules() ([]string, error) {
	return filepath.Glob(filepath.Join(i.dir, "modules", "*.ko"))
}

func getImage(ctx context.Context, cacheDir string, tools *Tools, k Kernel, progress io.Writer) (*Image, error) {
	recipe := append([]string{k.Suite, k.meta}, wanted...)
	i := &Image{Kernel: k, dir: filepath.Join(cacheDir, "vm-linux-"+k.Name+"-"+digest(recipe...))}
	err := once(ctx, i.dir, func(tmp string) error {
		fmt.Fprintf(progress, "  Linux %s of Debian %s\n", k.Name, k.Suite)
		work, err := os.MkdirTemp(cacheDir, "vm-linux-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(work)
		tree := filepath.Join(work, "tree")
		if err := k.unpack(ctx, filepath.Join(work, "apt"), tree); err != nil {
			return err
		}
		return trim(ctx, tools, tree, tmp)
	})
	if err != nil {
		return nil, fmt.Errorf("linux %s: %w", k.Name, err)
	}
	release, err := os.ReadFile(filepath.Join(i.dir, "release"))
	i.Release = string(release)
	return i, err
}

// unpack gets the newest image that the suite has, whole, into a directory.
func (k Kernel) unpack(ctx context.Context, lists, tree string) error {
	suite, err := debian.Open(ctx, lists, k.Suite)
	if err != nil {
		return err
	}
	images, err := suite.Depends(ctx, k.meta)
	if err != nil {
		return err
	}
	if len(images) != 1 {
		return fmt.Errorf("%s of %s depends on %q, not on one image", k.meta, k.Suite, images)
	}
	files, err := suite.Download(ctx, images...)
	if err != nil {
		return err
	}
	return debian.Unpack(ctx, files[0], tree)
}

// trim takes from a tree what guests need: some hundred MB stay behind.
func trim(ctx context.Context, tools *Tools, tree, to string) error {
	images, err := filepath.Glob(filepath.Join(tree, "boot", "vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return fmt.Errorf("kernels of the package: %q, %w", images, err)
	}
	release := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	if err := os.WriteFile(filepath.Join(to, "release"), []byte(release), 0o644); err != nil {
		return err
	}
	if err := os.Rename(images[0], filepath.Join(to, "vmlinuz")); err != nil {
		return err
	}
	lib := filepath.Join(tree, "lib")
	if _, err := os.Stat(lib); err != nil {
		lib = filepath.Join(tree, "usr", "lib") // trixie's packages do without the link
	}
	all, err := findModules(filepath.Join(lib, "modules", release))
	if err != nil {
		return err
	}
	return all.take(ctx, tools, wanted, filepath.Join(to, "modules"))
}
