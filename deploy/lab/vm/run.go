package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// Options of [Host.Run].
type Options struct {
	Image       *Image
	CommandLine string            // of the kernel, beyond what every guest has
	Files       map[string]string // by path in the guest: a file or directory of this host
	Disks       []Disk
	Commands    []plan.Command
	Output      io.Writer // takes what the guest prints, as it comes; nil: none
}

// Result is what came of the commands, one each, as far as they got.
type Result struct {
	Outputs []Output
	Console string // what the kernel said
	Took    time.Duration
}

// Output of one command.
type Output struct {
	Text string // standard output and error
	Code int    // exit code; -1 after a signal
}

// ErrGuest says that the guest did not do its plan to the end: it crashed, or
// did not boot, or its time was over. The result says how far it got.
var ErrGuest = errors.New("the guest did not get through")

// Run boots a guest, has it run the commands one by one, and waits for its end.
// When ctx ends the guest is killed. Nothing of it stays.
func (h *Host) Run(ctx context.Context, o Options) (*Result, error) {
	run, err := cache.NewRun()
	if err != nil {
		return nil, err
	}
	defer run.Close()
	arguments, err := h.prepare(ctx, run, &o)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	r, err := h.boot(ctx, run, &o, arguments)
	r.Took = time.Since(begun)
	if console, err := os.ReadFile(run.Path(consoleFile)); err == nil {
		r.Console = string(console)
	}
	return r, err
}

const (
	initramfsFile = "initramfs"
	consoleFile   = "console"
)

// prepare writes what the guest boots from and returns QEMU's arguments.
func (h *Host) prepare(ctx context.Context, run *cache.Run, o *Options) ([]string, error) {
	p := plan.Plan{Commands: o.Commands}
	files := union(o.Files, map[string]string{"/init": run.Path("init")})
	if err := buildInit(ctx, files["/init"]); err != nil {
		return nil, err
	}
	modules, err := o.Image.modules()
	if err != nil {
		return nil, err
	}
	for _, m := range modules {
		at := "/modules/" + filepath.Base(m)
		files[at] = m
		p.Modules = append(p.Modules, at)
	}
	arguments := h.arguments(run, o)
	for _, d := range o.Disks {
		image, err := d.make(ctx, h.Tools, run.Dir)
		if err != nil {
			return nil, err
		}
		p.Mounts = append(p.Mounts, d.mount())
		arguments = append(arguments, d.arguments(image)...)
	}
	f, err := os.Create(run.Path(initramfsFile))
	if err != nil {
		return nil, err
	}
	if err := writeInitramfs(f, files, p); err != nil {
		return nil, errors.Join(fmt.Errorf("write initramfs: %w", err), f.Close())
	}
	return arguments, f.Close()
}

// kernelArguments keep a boot short: the console costs an exit of the emulator
// for each byte, and so do clocks other than the TSC, which QEMU derives from
// the host's; mitigations only cost.
const kernelArguments = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr audit=0 clocksource=tsc tsc=reliable"

// arguments of QEMU. One thread runs both processors in turn: with a thread each
// (QEMU 10.0.13) Linux 5.10 and 6.12 lose the timer of the second one and hang.
func (h *Host) arguments(run *cache.Run, o *Options) []string {
	return append(h.Tools.shares(),
		"-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max", "-smp", "2", "-m", "1024",
		"-nodefaults", "-display", "none", "-no-reboot", "-nic", "none",
		"-chardev", "file,id=console,path="+run.Path(consoleFile), "-device", "isa-serial,chardev=console",
		"-chardev", "stdio,id=out,signal=off", "-device", "isa-serial,chardev=out",
		"-kernel", o.Image.vmlinuz(), "-initrd", run.Path(initramfsFile),
		"-append", strings.TrimSpace(kernelArguments+" "+o.CommandLine))
}

// boot runs QEMU and reads what the guest says. Its process dies with ctx, and
// with this one.
func (h *Host) boot(ctx context.Context, run *cache.Run, o *Options, arguments []string) (*Result, error) {
	r := &Result{}
	cmd, err := h.Tools.Command(ctx, "qemu-system-x86_64", arguments...)
	if err != nil {
		return r, err
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, fmt.Errorf("start qemu: %w", err)
	}
	echo := o.Output
	if echo == nil {
		echo = io.Discard
	}
	read := r.read(out, echo)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return r, fmt.Errorf("%w: %w", ErrGuest, context.Cause(ctx))
	case err != nil:
		return r, fmt.Errorf("%w: qemu: %w: %s", ErrGuest, err, complaints.String())
	case read != nil:
		return r, fmt.Errorf("%w: %w %s", ErrGuest, read, complaints.String())
	}
	return r, nil
}
