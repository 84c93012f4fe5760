package pages

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/repo"
)

// Made are the pages of the demo's recording.
type Made struct {
	Recording string
	Report    string // of all of it
	Compare   string // with its first half, and with a stricter look at itself
}

// Make makes them in dir with the product's own commands.
func Make(ctx context.Context, dir string) (*Made, error) {
	root, err := repo.Root()
	if err != nil {
		return nil, err
	}
	bin, err := repo.Build(ctx)
	if err != nil {
		return nil, err
	}
	m := &Made{Recording: filepath.Join(dir, "demo.pcapng"), Report: filepath.Join(dir, "report.html"), Compare: filepath.Join(dir, "compare.html")}
	half := filepath.Join(dir, "half.pcapng")
	if err := unpack(filepath.Join(root, "deploy/lab/testdata/demo.pcapng.gz"), m.Recording, half); err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"report", m.Recording, "-o", m.Report},
		{"compare", "whole=" + m.Recording, "first half=" + half, "both=" + m.Recording, "both=" + half, "-o", m.Compare},
	} {
		cmd := child.Guard(exec.CommandContext(ctx, bin, append(args, "--log-level", "error")...))
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("tailspan %s: %w: %s", args[0], err, out)
		}
	}
	return m, nil
}

// unpack writes what is compressed to a file, and its first half to another.
func unpack(compressed, whole, half string) error {
	f, err := os.Open(compressed)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", compressed, err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", compressed, err)
	}
	if err := os.WriteFile(whole, b, 0o600); err != nil {
		return err
	}
	return os.WriteFile(half, b[:len(b)/2], 0o600)
}
