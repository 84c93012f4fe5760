package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// cost is what one run of a whole command took.
type cost struct{ wall, cpu time.Duration }

// timed runs a command and hands its output to read.
func timed(ctx context.Context, read func(io.Reader) error, command string, args ...string) (c cost, err error) {
	cmd := child.Guard(exec.CommandContext(ctx, command, args...))
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return c, err
	}
	begin := time.Now()
	if err = cmd.Start(); err == nil {
		err = read(out)
		if ended := cmd.Wait(); err == nil {
			err = ended
		}
	}
	c.wall = time.Since(begin)
	if err != nil {
		return c, fmt.Errorf("%s: %w: %s", command, err, stderr.Bytes())
	}
	c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return c, nil
}

// lines counts what each line of an output stands for.
func lines(into *int, each func(line []byte) int) func(io.Reader) error {
	return func(r io.Reader) error {
		*into = 0
		s := bufio.NewScanner(r)
		s.Buffer(nil, 16<<20)
		for s.Scan() {
			*into += each(s.Bytes())
		}
		return s.Err()
	}
}
