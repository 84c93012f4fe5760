package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// execute runs a command and returns its exit code.
func execute(c plan.Command, out io.Writer) int {
	ctx := context.Background()
	if c.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Limit)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin", "HOME=/tmp", "TMPDIR=/tmp"}, c.Env...)
	cmd.Dir = "/"
	if c.Dir != "" {
		cmd.Dir = c.Dir
	}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintf(out, "\ninit: killed after %s\n", c.Limit)
	case !errors.As(err, &exit):
		fmt.Fprintf(out, "\ninit: %v\n", err)
	default:
		return exit.ExitCode()
	}
	return -1
}
