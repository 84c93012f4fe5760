// Guest runs a static program in one of Debian's kernels, and ends with its
// exit code.
//
//	guest [-kernel 6.1] [-append 'lockdown=confidentiality'] [-dir DIR] [-tools a,b] [-disks] BINARY [ARG…]
//	guest -fetch
//
// -dir's content is the working directory of the program; -tools are programs of
// Debian's that the guest gets; with -disks it gets slow ones under /mnt.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/vm"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

type options struct {
	kernel, append, dir, tools string
	disks, fetch               bool
	limit                      time.Duration
	command                    []string
}

func main() {
	var o options
	flag.StringVar(&o.kernel, "kernel", "6.1", "one of "+names())
	flag.StringVar(&o.append, "append", "", "to the kernel's command line")
	flag.StringVar(&o.dir, "dir", "", "the program's working directory")
	flag.StringVar(&o.tools, "tools", "mkfs.ext4,mount,umount,dd", "programs that the guest gets")
	flag.BoolVar(&o.disks, "disks", false, "give it slow disks under /mnt: "+diskNames())
	flag.BoolVar(&o.fetch, "fetch", false, "get all kernels, and run nothing")
	flag.DurationVar(&o.limit, "limit", 10*time.Minute, "kill the guest after this time")
	flag.Parse()
	o.command = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func names() string {
	var all []string
	for _, k := range vm.Kernels {
		all = append(all, k.Name)
	}
	return strings.Join(all, ", ")
}

func run(ctx context.Context, o options) (int, error) {
	host, err := vm.Open(ctx, os.Stderr)
	if err != nil {
		return 1, err
	}
	if o.fetch {
		return 0, fetch(ctx, host)
	}
	if len(o.command) == 0 {
		return 64, fmt.Errorf("no program named")
	}
	for _, k := range vm.Kernels {
		if k.Name == o.kernel {
			return boot(ctx, host, k, o)
		}
	}
	return 64, fmt.Errorf("no kernel %q: there are %s", o.kernel, names())
}

func fetch(ctx context.Context, host *vm.Host) error {
	for _, k := range vm.Kernels {
		if _, err := host.Image(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func boot(ctx context.Context, host *vm.Host, k vm.Kernel, o options) (int, error) {
	image, err := host.Image(ctx, k)
	if err != nil {
		return 1, err
	}
	files, err := host.Tools.Files(strings.Split(o.tools, ",")...)
	if err != nil {
		return 1, err
	}
	files["/job/program"] = o.command[0]
	c := plan.Command{Args: append([]string{"/job/program"}, o.command[1:]...), Dir: "/job"}
	if o.dir != "" {
		files["/job/dir"], c.Dir = o.dir, "/job/dir"
	}
	var disks []vm.Disk
	if o.disks {
		disks = slowDisks
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	r, err := host.Run(ctx, vm.Options{Image: image, CommandLine: o.append, Files: files, Disks: disks,
		Commands: []plan.Command{c}, Output: os.Stdout})
	if r == nil {
		return 1, err
	}
	fmt.Fprintf(os.Stderr, "guest: Linux %s, %s\n", image.Release, r.Took.Round(time.Second))
	if err != nil {
		fmt.Fprintf(os.Stderr, "guest: the kernel said:\n%s", r.Console)
		return 1, err
	}
	return r.Outputs[0].Code, nil
}
