package vm

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The images in the cache, where there are any: every module stands behind
// those that it needs.
func TestModulesAreInOrder(t *testing.T) {
	base, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	dirs, err := filepath.Glob(filepath.Join(base, "tailspan", "vm-linux-*", "modules"))
	if err != nil || len(dirs) == 0 {
		t.Skip("no kernel in the cache: make test-vm gets them")
	}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.ko"))
		if err != nil {
			t.Fatal(err)
		}
		var loaded []string
		for _, f := range files {
			object, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			needs, err := dependencies(object)
			if err != nil {
				t.Fatal(err)
			}
			name := moduleName(filepath.Base(f)[len("00-"):])
			for _, n := range needs {
				if !slices.Contains(loaded, n) && slices.ContainsFunc(files, func(f string) bool { return moduleName(f)[len("00-"):] == n }) {
					t.Errorf("%s: %s before %s", dir, name, n)
				}
			}
			loaded = append(loaded, name)
		}
		if !slices.Contains(loaded, "xfs") {
			t.Errorf("%s has no xfs: %q", dir, loaded)
		}
	}
}

func TestTakeWantsModules(t *testing.T) {
	m := modules{"ext4": ""}
	dir := t.TempDir()
	if err := m.take(context.Background(), nil, []string{"ext4"}, filepath.Join(dir, "a")); err != nil {
		t.Errorf("built in: %v", err)
	}
	if err := m.take(context.Background(), nil, []string{"xfs"}, filepath.Join(dir, "b")); err == nil {
		t.Error("no error where there is no such module")
	}
}
