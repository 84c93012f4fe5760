package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/vm/debian"
)

// ErrNotHere says that no guest can run on this machine.
var ErrNotHere = errors.New("no guests here")

// Host is what guests are run with. Its methods may be called from any
// goroutine.
type Host struct {
	Tools    *Tools
	cacheDir string
	progress io.Writer
}

// Open gets QEMU into the cache, once, and says on progress how far it is.
func Open(ctx context.Context, progress io.Writer) (*Host, error) {
	if runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("%w: the kernels are amd64's", ErrNotHere)
	}
	dir, err := cache.Dir()
	if err != nil {
		return nil, err
	}
	tools, err := getTools(ctx, dir, progress)
	if err != nil {
		return nil, fmt.Errorf("get qemu: %w", notHere(err))
	}
	return &Host{tools, dir, progress}, nil
}

func notHere(err error) error {
	if errors.Is(err, debian.ErrNotHere) {
		return fmt.Errorf("%w: %w", ErrNotHere, err)
	}
	return err
}

// Image gets a kernel into the cache, once.
func (h *Host) Image(ctx context.Context, k Kernel) (*Image, error) {
	i, err := getImage(ctx, h.cacheDir, h.Tools, k, h.progress)
	return i, notHere(err)
}

// Build compiles a command of a directory into one static file; test says that
// it is a package's tests.
func Build(ctx context.Context, dir, pkg, to string, test bool) error {
	args := []string{"build"}
	if test {
		args = []string{"test", "-c"}
	}
	cmd := child.Guard(exec.CommandContext(ctx, "go", append(args, "-o", to, pkg)...))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s %s: %w: %s", args[0], pkg, err, out)
	}
	return nil
}

// buildInit compiles the guests' process 1.
func buildInit(ctx context.Context, to string) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	return Build(ctx, filepath.Join(root, "deploy", "lab"), "./vm/init", to, false)
}

// union of files; what stands later counts.
func union(all ...map[string]string) map[string]string {
	files := map[string]string{}
	for _, m := range all {
		maps.Copy(files, m)
	}
	return files
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
