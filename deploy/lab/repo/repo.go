// Package repo finds the checkout that the lab runs from, and builds the
// product in it.
package repo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

const module = "module github.com/tailspan/tailspan"

// ErrOutside says that no checkout is above the working directory.
var ErrOutside = errors.New("not inside a checkout of tailspan")

// Root is the checkout's directory: the nearest one above the working
// directory whose go.mod is the product's.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if isRoot(dir) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", ErrOutside
		}
	}
}

func isRoot(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	defer f.Close()
	line := bufio.NewScanner(f)
	return line.Scan() && strings.TrimSpace(line.Text()) == module
}

// given names a binary to take instead of building one.
const given = "LAB_TAILSPAN"

// Build makes the product and returns its path; $LAB_TAILSPAN, where set, is
// taken instead.
func Build(ctx context.Context) (string, error) {
	if bin := os.Getenv(given); bin != "" {
		return bin, nil
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	cmd := child.Guard(exec.CommandContext(ctx, "make", "-s", "build"))
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build: %w: %s", err, out)
	}
	return filepath.Join(root, "bin", "tailspan"), nil
}
