package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/bench"
	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
)

type config struct {
	rate, rounds, pairs, workers int
	length, settle               time.Duration
}

// jvmBench measures on one JDK.
type jvmBench struct {
	config
	stage  bench.Stage
	jdk    jdk.JDK
	kernel *bpf.Probes
	rounds []round
}

// round is what was measured with one JVM that has the flag DTraceMonitorProbes
// on and one that has not.
type round struct {
	without stretch // as most JVMs run
	pairs   []pair
	whole   stretch // under `tailspan run`
}

// pair is the JVM with the flag on, without the probes and with them, and how long
// it took to put them on and to take them off.
type pair struct {
	off, on        stretch
	attach, detach time.Duration
}

func (b *jvmBench) run(ctx context.Context) (err error) {
	fmt.Printf("\nJDK %s: %d rounds of %d pairs of %s\n", b.jdk, b.config.rounds, b.pairs, b.length)
	if b.kernel, err = bpf.Open(bpf.Options{RingSize: 8 << 20}); err != nil {
		return err
	}
	defer b.kernel.Close()
	for n := range b.config.rounds {
		r, err := b.round(ctx, n%2 == 1)
		if err != nil {
			return err
		}
		b.rounds = append(b.rounds, r)
		r.print(n + 1)
	}
	return nil
}

// round measures; every other one begins with the JVM that has the flag.
func (b *jvmBench) round(ctx context.Context, flagFirst bool) (r round, err error) {
	for i := range 2 {
		flag := (i == 0) == flagFirst
		err := b.under(ctx, flag, func(p *contend.Program) (err error) {
			if !flag {
				r.without, err = b.stretch(ctx, p, time.Duration(b.pairs)*b.length)
				return err
			}
			if err := b.alternate(ctx, p, &r); err != nil {
				return err
			}
			r.whole, err = b.underTailspan(ctx, p)
			return err
		})
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// under has a JVM under load.
func (b *jvmBench) under(ctx context.Context, flag bool, f func(*contend.Program) error) (err error) {
	const perLock = 1000 // contended enters a second, which contend keeps well
	locks := (b.rate + perLock - 1) / perLock
	c := contend.Config{Java: b.jdk.Java(), Dir: filepath.Join(b.stage.Output, fmt.Sprintf("%d-%t", b.jdk.Release, flag))}
	if flag {
		c.JVM = []string{"-XX:+DTraceMonitorProbes"}
	}
	p, err := contend.Start(ctx, c)
	if err != nil {
		return err
	}
	load := contend.Options{Mode: contend.Even, Threads: 2 * locks, Locks: locks, Rate: b.rate, Workers: b.workers}
	if err := p.Run(load); err != nil {
		return errors.Join(err, p.Kill())
	}
	if err := errors.Join(wait(ctx, b.settle), f(p)); err != nil {
		return errors.Join(err, p.Kill())
	}
	_, err = p.End()
	return errors.Join(err, p.Close())
}

// alternate measures with the probes off and on; every other pair begins with
// them on, so that a drift does not fall on one of them.
func (b *jvmBench) alternate(ctx context.Context, p *contend.Program, r *round) error {
	for n := range b.pairs {
		var x pair
		off := func() (err error) { x.off, err = b.stretch(ctx, p, b.length); return err }
		on := func() error { return b.underProbes(ctx, p, &x) }
		if n%2 == 1 {
			off, on = on, off
		}
		if err := off(); err != nil {
			return err
		}
		if err := on(); err != nil {
			return err
		}
		r.pairs = append(r.pairs, x)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
