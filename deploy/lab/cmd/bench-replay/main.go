// Bench-replay measures `tailspan replay` of a plain packet capture as whole
// commands, in alternating pairs with a bare loop that only reads the packets
// and decodes their layers with gopacket, and some times with tshark, which
// finds the same requests. The capture is made from a real broker under load,
// once, and kept in the lab's cache.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/repo"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-replay:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	packets := flag.Int("packets", 600_000, "how many packets the capture has")
	pairs := flag.Int("pairs", 15, "runs of tailspan and of the bare loop")
	rounds := flag.Int("tshark", 3, "runs of tshark")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := isolate.FollowParent(); err != nil {
		return err
	}
	dir, err := cache.Dir()
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "captures")
	c, ok := find(dir, *packets)
	if !ok {
		fmt.Printf("capturing %d packets of a broker under load\n", *packets)
		if os.Geteuid() != 0 {
			return errors.New("to capture needs root")
		}
		if c, err = makeCapture(ctx, dir, *packets); err != nil {
			return err
		}
	}
	b := bench{capture: c, packets: *packets}
	if b.tailspan, err = repo.Build(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.loop = filepath.Join(filepath.Dir(self), "bare-loop")
	return b.run(ctx, *pairs, *rounds)
}
