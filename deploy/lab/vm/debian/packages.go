package debian

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Depends are the packages that the newest version of a package needs itself.
func (a *Archive) Depends(ctx context.Context, name string) ([]string, error) {
	out, err := a.run(ctx, "apt-cache", "depends", "--important", "--no-recommends", name)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", a.Suite, name, err)
	}
	var all []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if _, dep, ok := strings.Cut(lines.Text(), "Depends: "); ok {
			all = append(all, dep)
		}
	}
	return all, nil
}

// Download gets packages alone, without what they need, and returns the files.
func (a *Archive) Download(ctx context.Context, names ...string) ([]string, error) {
	if _, err := a.run(ctx, "apt-get", append([]string{"download", "-q"}, names...)...); err != nil {
		return nil, fmt.Errorf("%s: %w", a.Suite, err)
	}
	return filepath.Glob(filepath.Join(a.dir, "*.deb"))
}

// DownloadClosure gets packages and all that they need, down to the C library.
func (a *Archive) DownloadClosure(ctx context.Context, names ...string) ([]string, error) {
	args := []string{"install", "-q", "-y", "--download-only", "--no-install-recommends"}
	if _, err := a.run(ctx, "apt-get", append(args, names...)...); err != nil {
		return nil, fmt.Errorf("%s: %w", a.Suite, err)
	}
	return filepath.Glob(filepath.Join(a.dir, "cache", "archives", "*.deb"))
}

// Unpack extracts a package's files below a directory.
func Unpack(ctx context.Context, file, dir string) error {
	_, err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", file, dir))
	return err
}
