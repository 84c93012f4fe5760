package vm

import (
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// modules are the files of a kernel's modules by name; a name that leads to ""
// is built in.
type modules map[string]string

// moduleName: the kernel takes - and _ for the same (kernel/params.c,
// parameq).
func moduleName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

func findModules(dir string) (modules, error) {
	all := modules{}
	builtin, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	for _, file := range strings.Fields(string(builtin)) {
		all[moduleName(file)] = ""
	}
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), ".ko") {
			all[moduleName(path)] = path
		}
		return err
	})
	return all, err
}

// take copies modules and what they depend on, uncompressed, to a directory:
// their names there are in the order of loading.
func (m modules) take(ctx context.Context, tools *Tools, names []string, to string) error {
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	taken := map[string]bool{}
	var take func(names []string) error
	take = func(names []string) error {
		for _, name := range names {
			path, ok := m[name]
			if !ok {
				return fmt.Errorf("no module %s", name)
			}
			if path == "" || taken[name] {
				continue
			}
			taken[name] = true
			object, err := decompress(ctx, tools, path)
			if err != nil {
				return err
			}
			needs, err := dependencies(object)
			if err != nil {
				return fmt.Errorf("module %s: %w", name, err)
			}
			if err := take(needs); err != nil {
				return err
			}
			entries, err := os.ReadDir(to)
			if err != nil {
				return err
			}
			file := fmt.Sprintf("%02d-%s.ko", len(entries), name)
			if err := os.WriteFile(filepath.Join(to, file), object, 0o644); err != nil {
				return err
			}
		}
		return nil
	}
	return take(names)
}

func decompress(ctx context.Context, tools *Tools, path string) ([]byte, error) {
	if !strings.HasSuffix(path, ".xz") {
		return os.ReadFile(path)
	}
	cmd, err := tools.Command(ctx, "xz", "-dc", path)
	if err != nil {
		return nil, err
	}
	object, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("xz -dc %s: %w", path, err)
	}
	return object, nil
}

// dependencies are the modules that an object names in its section .modinfo
// (include/linux/module.h, scripts/mod/modpost.c).
func dependencies(object []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(object))
	if err != nil {
		return nil, err
	}
	info := f.Section(".modinfo")
	if info == nil {
		return nil, fmt.Errorf("no .modinfo")
	}
	data, err := info.Data()
	if err != nil {
		return nil, err
	}
	var names []string
	for entry := range bytes.SplitSeq(data, []byte{0}) {
		list, ok := strings.CutPrefix(string(entry), "depends=")
		for _, name := range strings.Split(list, ",") {
			if ok && name != "" {
				names = append(names, moduleName(name))
			}
		}
	}
	return names, nil
}
