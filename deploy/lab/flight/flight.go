package flight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
)

// Dump writes what the JVM recorded so far to a file.
func Dump(ctx context.Context, pid int, file string) error {
	return run(ctx, "jcmd", nil, strconv.Itoa(pid), "JFR.dump", "filename="+file)
}

// Print writes the waits in a JFR file as JSON.
func Print(ctx context.Context, file, to string) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(run(ctx, "jfr", out, "print", "--json", "--events", "jdk.JavaMonitorEnter", file), out.Close())
}

// run runs a tool of the machine's newest JDK.
func run(ctx context.Context, tool string, stdout io.Writer, args ...string) error {
	path, err := jdk.Tool(tool)
	if err != nil {
		return err
	}
	cmd := child.Guard(exec.CommandContext(ctx, path, args...))
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", tool, err, stderr.String())
	}
	return nil
}
