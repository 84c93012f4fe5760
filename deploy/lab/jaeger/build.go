package jaeger

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/repo"
)

const (
	pkg           = "github.com/jaegertracing/jaeger/cmd/jaeger"
	progressEvery = 20 * time.Second
	keptLines     = 15 // of the build's output, to explain a failure
)

// Path is where the binary is, or will be, in the cache: one for each state
// of tool/go.mod and tool/go.sum.
func Path(cacheDir string) (string, error) {
	dir, err := toolDir()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", fmt.Errorf("read jaeger's module: %w", err)
		}
		sum.Write(b)
	}
	return filepath.Join(cacheDir, fmt.Sprintf("jaeger-%.8x", sum.Sum(nil))), nil
}

func toolDir() (string, error) {
	root, err := repo.Root()
	return filepath.Join(root, "deploy", "lab", "jaeger", "tool"), err
}

// Build makes the binary unless it is in the cache, at the lowest priority,
// and tells on progress how far it is. It takes minutes.
func Build(ctx context.Context, cacheDir string, progress io.Writer) (string, error) {
	bin, err := Path(cacheDir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	dir, err := toolDir()
	if err != nil {
		return "", err
	}
	part := fmt.Sprintf("%s.part-%d", bin, os.Getpid())
	defer os.Remove(part)
	if err := goBuild(ctx, dir, part, progress); err != nil {
		return "", fmt.Errorf("build jaeger: %w", err)
	}
	return bin, os.Rename(part, bin)
}

func goBuild(ctx context.Context, dir, out string, progress io.Writer) error {
	cmd := child.Guard(exec.CommandContext(ctx, "go", "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", out, pkg))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if os.Geteuid() == 0 {
		// So that the compilers die with it, too, when the lab is killed.
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	}
	lines, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, cmd.Process.Pid, 19) // a courtesy
	last := tell(lines, progress)
	if err := cmd.Wait(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("go build: %w:\n%s", err, strings.Join(last, "\n")))
	}
	return nil
}

// tell counts what go build -v says and speaks now and then.
func tell(in io.Reader, progress io.Writer) (last []string) {
	modules, packages, spoke := 0, 0, time.Now()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		line := lines.Text()
		last = append(last, line)
		last = last[max(0, len(last)-keptLines):]
		if strings.HasPrefix(line, "go: downloading ") {
			modules++
		} else {
			packages++
		}
		if time.Since(spoke) > progressEvery {
			spoke = time.Now()
			fmt.Fprintf(progress, "Jaeger is being built: %d modules downloaded, %d packages compiled\n", modules, packages)
		}
	}
	return last
}
