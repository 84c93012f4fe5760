package flight

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// settings have every wait for a monitor in the recording, however short, and
// nothing else.
const settings = `<?xml version="1.0" encoding="UTF-8"?>
<configuration version="2.0">
  <event name="jdk.JavaMonitorEnter">
    <setting name="enabled">true</setting>
    <setting name="threshold">0 ns</setting>
    <setting name="stackTrace">false</setting>
  </event>
</configuration>
`

// Record gives the JVM option that has a JVM record every wait for a monitor
// from its start on. dir takes the settings.
func Record(dir string) (option string, err error) {
	file := filepath.Join(dir, "waits.jfc")
	if err := os.WriteFile(file, []byte(settings), 0o644); err != nil {
		return "", err
	}
	return "-XX:StartFlightRecording=settings=" + file, nil
}

// Dump writes what the JVM recorded so far to a file.
func Dump(ctx context.Context, java string, pid int, file string) error {
	return run(ctx, java, "jcmd", nil, strconv.Itoa(pid), "JFR.dump", "filename="+file)
}

// Print writes the waits in a JFR file as JSON.
func Print(ctx context.Context, java, file, to string) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(run(ctx, java, "jfr", out, "print", "--json", "--events", "jdk.JavaMonitorEnter", file), out.Close())
}

// run runs a tool of the JDK that a java belongs to.
func run(ctx context.Context, java, tool string, stdout *os.File, args ...string) error {
	path, err := filepath.EvalSymlinks(java)
	if err != nil {
		return err
	}
	cmd := child.Guard(exec.CommandContext(ctx, filepath.Join(filepath.Dir(path), tool), args...))
	if stdout == nil {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", tool, err, out)
		}
		return nil
	}
	cmd.Stdout = stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", tool, err)
	}
	return nil
}
