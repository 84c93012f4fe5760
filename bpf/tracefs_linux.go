package bpf

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const tracefsHome = "/sys/kernel/tracing"

// findTracefs says where tracefs is. Where it is not mounted it mounts it in
// the kernel's own place for it and leaves it there: other tracers look for it
// in the same place.
func findTracefs(log *slog.Logger) (string, error) {
	for _, dir := range []string{tracefsHome, "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(filepath.Join(dir, "events")); err == nil {
			return dir, nil
		}
	}
	if err := unix.Mount("tracefs", tracefsHome, "tracefs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return "", fmt.Errorf("%w: mount tracefs on %s: %w", ErrNotHere, tracefsHome, err)
	}
	log.Info("mounted tracefs", "on", tracefsHome)
	return tracefsHome, nil
}

// eventFields reads the layout of an event.
func eventFields(tracefs, group, name string) (map[string]field, error) {
	f, err := os.Open(filepath.Join(tracefs, "events", group, name, "format"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseFormat(f)
}
