package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/scene"
)

// capture is a plain pcap of a broker's traffic.
type capture struct {
	path string
	port int
}

// name says how many packets a capture has, and the broker's port.
const name = "replay-%d-port-%d.pcap"

// find looks for a capture that an earlier run made.
func find(dir string, packets int) (c capture, ok bool) {
	all, _ := filepath.Glob(filepath.Join(dir, "replay-*.pcap")) // fails only for a bad pattern
	for _, path := range all {
		var n int
		c := capture{path: path}
		if _, err := fmt.Sscanf(filepath.Base(path), name, &n, &c.port); err == nil && n == packets {
			return c, true
		}
	}
	return c, false
}

// makeWithin is how long a capture may take to fill.
const makeWithin = 5 * time.Minute

// makeCapture captures the traffic of a real broker under the load of Kafka's own
// producers, as fast as they go. Loopback shows every packet twice: only the
// incoming ones are taken.
func makeCapture(ctx context.Context, dir string, packets int) (c capture, err error) {
	config := scene.Story()
	config.Disk, config.JVM = false, nil
	config.Load.PerSecond = -1
	s, err := scene.New(ctx, config, os.Stdout)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return c, err
	}
	c = capture{filepath.Join(dir, fmt.Sprintf(name, packets, s.Broker.Port)), s.Broker.Port}
	part := c.path + ".part"
	d, err := child.Start("dumpcap", filepath.Join(s.Output, "dumpcap.log"), exec.Command("dumpcap", "-q", "-P", "-i", "lo",
		"-B", "64", "-c", strconv.Itoa(packets), "-f", fmt.Sprintf("inbound and tcp port %d", c.port), "-w", part))
	if err != nil {
		return c, err
	}
	defer os.Remove(part)
	if err := s.Start(ctx); err != nil {
		return c, errors.Join(err, d.Stop(syscall.SIGKILL, time.Second))
	}
	limited, cancel := context.WithTimeout(ctx, makeWithin)
	defer cancel()
	if err := d.Wait(limited); err != nil {
		_ = d.Stop(syscall.SIGKILL, time.Second)
		return c, fmt.Errorf("dumpcap: %w, see %s", err, d.Log)
	}
	if err := lossless(d); err != nil {
		return c, err
	}
	return c, os.Rename(part, c.path)
}

// lossless reads dumpcap's last word: "… received/dropped on interface …: N/0 (…)".
func lossless(d *child.Process) error {
	out, err := d.Output()
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		if _, counts, ok := strings.Cut(line, "received/dropped on interface"); ok {
			if strings.Contains(counts, "/0 (") {
				return nil
			}
			return fmt.Errorf("the capture has holes: %s", strings.TrimSpace(line))
		}
	}
	return fmt.Errorf("dumpcap did not say what it lost: %s", out)
}
