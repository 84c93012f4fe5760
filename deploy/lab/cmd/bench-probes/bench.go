package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/steady"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

//go:embed probes.bt
var script string

type probes struct {
	scene          *scene.Scene
	bin            string
	clients        []*steady.Client
	rounds         int
	length, warmUp time.Duration
}

// stretch is one stretch of the load under one of the two.
type stretch struct {
	requests int64
	usages   usages
}

// settle is how long either runs before it is measured.
const settle = 3 * time.Second

func (b *probes) run(ctx context.Context) error {
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		return fmt.Errorf("count the programs' time: %w", err)
	}
	defer stats.Close()
	if b.clients, err = steady.Connect(b.scene.Broker.Address(), b.scene.Topic, b.scene.Partitions); err != nil {
		return err
	}
	for _, c := range b.clients {
		defer c.Close()
	}
	if err := b.scene.Start(ctx); err != nil {
		return err
	}
	fmt.Printf("warming up for %s, then %d rounds of %s with each\n", b.warmUp, b.rounds, b.length)
	if _, err := steady.Latencies(ctx, b.clients, b.warmUp); err != nil {
		return err
	}
	var own, peer []stretch
	for n := range b.rounds {
		for i := range 2 { // every other round the other way about
			err := error(nil)
			var s stretch
			if i == n%2 {
				if s, err = b.withTailspan(ctx); err == nil {
					own = append(own, s)
				}
			} else if s, err = b.withBpftrace(ctx); err == nil {
				peer = append(peer, s)
			}
			if err != nil {
				return err
			}
		}
		fmt.Printf("%2d  ns a request in the subjects of both  tailspan %6.0f  bpftrace %6.0f\n", n+1, own[n].shared(ownSubjects), peer[n].shared(peerSubjects))
	}
	return report(own, peer)
}

func (b *probes) withTailspan(ctx context.Context) (s stretch, err error) {
	t, err := tailspan.Start(b.bin, filepath.Join(b.scene.Output, "tailspan.log"), []string{"OTEL_TRACES_EXPORTER=none"}, nil,
		"run", "--pid", fmt.Sprint(b.scene.Broker.PID()), "--slo", "65ms", "--log-level", "debug")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, t.Stop()) }()
	return b.measure(ctx, t.Process)
}

func (b *probes) withBpftrace(ctx context.Context) (s stretch, err error) {
	var st unix.Stat_t
	if err := unix.Stat(b.scene.LogDir, &st); err != nil {
		return s, err
	}
	dev := fmt.Sprint(unix.Major(st.Dev)<<20 | unix.Minor(st.Dev)) // a loop device: file system and disk in one
	p, err := child.Start("bpftrace", filepath.Join(b.scene.Output, "bpftrace.log"),
		exec.Command("bpftrace", "-e", script, fmt.Sprint(b.scene.Broker.PID()), dev, dev))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, p.Stop(syscall.SIGINT, 15*time.Second)) }()
	ready := func() bool { out, _ := p.Output(); return strings.Contains(out, "ready") }
	if err := p.Until(ctx, time.Minute, ready); err != nil {
		return s, err
	}
	return b.measure(ctx, p)
}

func (b *probes) measure(ctx context.Context, p *child.Process) (s stretch, err error) {
	if _, err := steady.Latencies(ctx, b.clients, settle); err != nil {
		return s, err
	}
	before, requests, err := b.read(ctx, p)
	if err != nil {
		return s, err
	}
	if _, err := steady.Latencies(ctx, b.clients, b.length); err != nil {
		return s, err
	}
	after, total, err := b.read(ctx, p)
	if err != nil {
		return s, err
	}
	s = stretch{total - requests, after.minus(before)}
	if s.requests == 0 || len(s.usages) == 0 {
		return s, fmt.Errorf("%s saw nothing, see %s", p.Name, p.Log)
	}
	return s, b.scene.Check()
}

func (b *probes) read(ctx context.Context, p *child.Process) (usages, int64, error) {
	if !p.Alive() {
		return nil, 0, fmt.Errorf("%s ended by itself, see %s", p.Name, p.Log)
	}
	u, err := readUsages(p.PID())
	if err != nil {
		return nil, 0, err
	}
	n, err := b.clients[0].Records(ctx)
	return u, n, err
}
