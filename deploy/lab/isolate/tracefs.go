package isolate

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const tracefs = "/sys/kernel/tracing"

// Tracefs mounts the kernel's tracing files where they are not mounted, which
// is so on small machines. Call it after Mounts: it goes away with us.
func Tracefs() error {
	if _, err := os.Stat(tracefs + "/events"); err == nil {
		return nil
	}
	err := unix.Mount("tracefs", tracefs, "tracefs", 0, "")
	if err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("mount tracefs: %w", err)
	}
	return nil
}
