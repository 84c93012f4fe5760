package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/probe"
)

// underProbes measures with the probes on, and the ring emptied as often as the
// product does.
func (b *jvmBench) underProbes(ctx context.Context, p *contend.Program, x *pair) error {
	sites, err := jvm.MonitorSites(b.jdk.LibJVM())
	if err != nil {
		return err
	}
	pid := int32(p.PID())
	before, err := b.kernel.Enters(pid)
	if err != nil {
		return err
	}
	began := time.Now()
	a, err := b.kernel.AttachSites(pid, b.jdk.LibJVM(), probe.Sites(sites))
	if err != nil {
		return err
	}
	x.attach = time.Since(began)
	reading, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.drain(reading) }()
	x.on, err = b.stretch(ctx, p, b.length)
	seen, e := b.kernel.Enters(pid)
	stop()
	if err = errors.Join(err, e, <-ended); err != nil {
		return errors.Join(err, a.Close())
	}
	if least := x.on.blocked * b.length.Seconds() / 2; float64(seen-before) < least {
		return errors.Join(fmt.Errorf("the probes saw %d enters of at least %.0f", seen-before, least), a.Close())
	}
	began = time.Now()
	err = a.Close()
	x.detach = time.Since(began)
	return err
}

// pulse is how often the product reads.
const pulse = 100 * time.Millisecond

func (b *jvmBench) drain(ctx context.Context) error {
	for wait(ctx, pulse) == nil {
		if _, err := b.kernel.Read(0, func([]byte) {}); err != nil {
			return err
		}
	}
	return nil
}

// underTailspan measures with all of Tailspan beside the JVM.
func (b *jvmBench) underTailspan(ctx context.Context, p *contend.Program) (s stretch, err error) {
	log := filepath.Join(b.stage.Output, "tailspan.log")
	if err := os.RemoveAll(log); err != nil {
		return s, err
	}
	t, err := tailspan.Start(b.stage.Bin, log, []string{"OTEL_TRACES_EXPORTER=none"}, nil, "run", "--pid", fmt.Sprint(p.PID()))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, t.Stop()) }()
	said := func(what string) bool { out, _ := t.Output(); return strings.Contains(out, what) }
	if err := t.Until(ctx, time.Minute, func() bool { return said("tracing broker") }); err != nil {
		return s, err
	}
	s, err = b.stretch(ctx, p, time.Duration(b.pairs)*b.length)
	if err == nil && (!t.Alive() || said("probes are taken off")) {
		err = fmt.Errorf("the probes did not stay on, see %s", log)
	}
	return s, err
}
