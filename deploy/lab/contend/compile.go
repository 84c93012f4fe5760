package contend

import (
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
)

//go:embed program/*.java
var program embed.FS

// release is the oldest that runs the classes.
const release = "11"

// compile makes the classes, once for each source, and returns their directory.
func compile(ctx context.Context) (string, error) {
	javac, err := jdk.Tool("javac")
	if err != nil {
		return "", err
	}
	root, err := cache.Dir()
	if err != nil {
		return "", err
	}
	files, err := program.ReadDir("program")
	if err != nil {
		return "", err
	}
	key, sources := sha256.New(), map[string][]byte{}
	for _, f := range files {
		if sources[f.Name()], err = program.ReadFile("program/" + f.Name()); err != nil {
			return "", err
		}
		key.Write(sources[f.Name()])
	}
	classes := filepath.Join(root, fmt.Sprintf("contend-%.4x", key.Sum(nil)))
	return classes, cache.Once(classes, func(dir string) error {
		args := []string{"--release", release, "-d", dir}
		for name, text := range sources {
			file := filepath.Join(dir, name)
			if err := os.WriteFile(file, text, 0o644); err != nil {
				return err
			}
			args = append(args, file)
		}
		if out, err := child.Guard(exec.CommandContext(ctx, javac, args...)).CombinedOutput(); err != nil {
			return fmt.Errorf("javac: %w: %s", err, out)
		}
		return nil
	})
}
