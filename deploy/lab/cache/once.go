package cache

import (
	"errors"
	"os"
	"path/filepath"
)

// Once fills a directory of the cache, unless it is there. It appears only when
// it is whole; of several processes the first one's stays.
func Once(dir string, fill func(part string) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(dir), ".part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	if err := errors.Join(os.Chmod(part, 0o755), fill(part)); err != nil {
		return err
	}
	if err := os.Rename(part, dir); err != nil && !errors.Is(err, os.ErrExist) { // another was first
		return err
	}
	return nil
}
