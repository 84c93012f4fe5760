// Init is process 1 of a guest: it mounts what every Linux system has, loads
// the modules, mounts the disks, runs the commands of its plan, says on its
// second serial line what they print, and powers off.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

const serial = "/dev/ttyS1"

func main() {
	out, err := start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "init:", err) // the console: there is no other way out
	} else if err := run(out); err != nil {
		fmt.Fprintf(out, "\n%sfail %v\n", plan.Mark, err)
	} else {
		fmt.Fprintf(out, "%soff\n", plan.Mark)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// start makes the serial line, which takes bytes as they are.
func start() (*os.File, error) {
	if err := mountAll(system); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(serial, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	tty, err := unix.IoctlGetTermios(int(out.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", serial, err)
	}
	tty.Oflag, tty.Iflag, tty.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(int(out.Fd()), unix.TCSETS, tty); err != nil {
		return nil, fmt.Errorf("%s: %w", serial, err)
	}
	return out, nil
}

func run(out io.Writer) error {
	b, err := os.ReadFile(plan.File)
	if err != nil {
		return err
	}
	var p plan.Plan
	if err := json.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("%s: %w", plan.File, err)
	}
	for _, m := range p.Modules {
		if err := load(m); err != nil {
			return err
		}
	}
	if err := loopback(); err != nil {
		return err
	}
	for _, m := range p.Mounts {
		if err := mountDisk(m); err != nil {
			return err
		}
	}
	for i, c := range p.Commands {
		fmt.Fprintf(out, "%sbegin %d\n", plan.Mark, i)
		fmt.Fprintf(out, "\n%send %d %d\n", plan.Mark, i, execute(c, out))
	}
	return nil
}
