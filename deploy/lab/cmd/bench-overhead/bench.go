package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/steady"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

type overhead struct {
	scene          *scene.Scene
	bin            string
	clients        []*steady.Client
	pairs          int
	length, warmUp time.Duration
}

// outcome is one stretch of the load.
type outcome struct {
	broker   time.Duration // CPU
	requests int64         // answered: one record each
	p50, p99 time.Duration // of requests
	own      time.Duration // Tailspan's CPU, 0 when off
	memory   int64         // Tailspan's largest resident memory, in bytes
}

func (o outcome) perRequest() float64 { return float64(o.broker) / float64(o.requests) }

// settle is how long Tailspan runs before it is measured: its start is no
// part of what it costs.
const settle = 3 * time.Second

// run measures while the load goes on all the time.
func (b *overhead) run(ctx context.Context) error {
	var err error
	if b.clients, err = steady.Connect(b.scene.Broker.Address(), b.scene.Topic, b.scene.Partitions); err != nil {
		return err
	}
	for _, c := range b.clients {
		defer c.Close()
	}
	if err := b.scene.Start(ctx); err != nil {
		return err
	}
	fmt.Printf("warming up for %s, then %d pairs of %s\n", b.warmUp, b.pairs, b.length)
	if _, err := b.measure(ctx, b.warmUp, nil); err != nil {
		return err
	}
	var off, on []outcome
	for n := range b.pairs {
		p, err := b.pair(ctx, n%2 == 1)
		if err != nil {
			return err
		}
		off, on = append(off, p[0]), append(on, p[1])
		fmt.Printf("%2d  broker CPU a request %4.0f µs off %4.0f µs on   p99 %8s off %8s on   tailspan CPU %.2f s, %d MiB\n", n+1,
			p[0].perRequest()/1e3, p[1].perRequest()/1e3, micro(p[0].p99), micro(p[1].p99), p[1].own.Seconds(), p[1].memory>>20)
	}
	report(off, on)
	return nil
}

func micro(d time.Duration) time.Duration { return d.Round(time.Microsecond) }

// pair measures without and with Tailspan; every other pair begins with the
// latter, so that a drift does not fall on one of them.
func (b *overhead) pair(ctx context.Context, onFirst bool) (p [2]outcome, err error) {
	for i := range p {
		if (i == 0) == onFirst {
			p[1], err = b.watched(ctx)
		} else {
			p[0], err = b.measure(ctx, b.length, nil)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// watched measures with Tailspan on.
func (b *overhead) watched(ctx context.Context) (o outcome, err error) {
	t, err := tailspan.Start(b.bin, filepath.Join(b.scene.Output, "tailspan.log"), []string{"OTEL_TRACES_EXPORTER=none"}, nil,
		"run", "--pid", fmt.Sprint(b.scene.Broker.PID()), "--slo", "65ms")
	if err != nil {
		return o, err
	}
	defer func() {
		if stopped := t.Stop(); err == nil {
			err = stopped
		}
	}()
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return o, ctx.Err()
	}
	if o, err = b.measure(ctx, b.length, t); err != nil {
		return o, err
	}
	if !t.Alive() {
		return o, fmt.Errorf("tailspan ended by itself, see %s", t.Log)
	}
	o.memory, err = maxResident(t.PID())
	return o, err
}

// measure takes one stretch.
func (b *overhead) measure(ctx context.Context, length time.Duration, t *tailspan.Sidecar) (o outcome, err error) {
	before, err := b.read(ctx, t)
	if err != nil {
		return o, err
	}
	took, err := steady.Latencies(ctx, b.clients, length)
	if err != nil {
		return o, err
	}
	after, err := b.read(ctx, t)
	if err != nil {
		return o, err
	}
	o = outcome{
		broker: after.broker - before.broker, requests: after.requests - before.requests,
		own: after.own - before.own, p50: quantile(took, 0.5), p99: quantile(took, 0.99),
	}
	if o.requests == 0 || o.broker == 0 {
		return o, errors.New("the broker did nothing")
	}
	return o, b.scene.Check()
}

// read takes the counters.
func (b *overhead) read(ctx context.Context, t *tailspan.Sidecar) (o outcome, err error) {
	if o.requests, err = b.clients[0].Records(ctx); err != nil {
		return o, err
	}
	if o.broker, err = cpu(b.scene.Broker.PID()); err == nil && t != nil {
		o.own, err = cpu(t.PID())
	}
	return o, err
}

// quantile of what is sorted.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
