package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

const (
	firstTables = 30 * time.Second // after load runs
	patience    = 90 * time.Second // for a story worth telling
)

// live sets the scene and shows it until the context ends, or DEMO_FOR is over.
func (d *demo) live(ctx context.Context) (err error) {
	d.say("Building Tailspan, and starting Kafka on a disk that holds still for half a second now and then.")
	bin := make(chan error, 1)
	var path string
	go func() { var err error; path, err = repo.Build(ctx); bin <- err }()
	c := scene.Story()
	c.Output = d.logs
	s, err := scene.New(ctx, c, d)
	if err != nil {
		return errors.Join(err, <-bin)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := <-bin; err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	d.say("Broker %d listens on %s; three producers send 2,500 records a second each.", s.Broker.PID(), s.Broker.Address())
	return d.watch(ctx, s, path)
}

// watch runs Tailspan beside the broker.
func (d *demo) watch(ctx context.Context, s *scene.Scene, bin string) (err error) {
	args := []string{"run", "--pid", fmt.Sprint(s.Broker.PID()), "--slo", slo.String(),
		"--threshold", threshold.String(), "--print", "traces", "--format", "jsonl"}
	served, err := d.listen()
	if err != nil {
		return err
	}
	args = append(args, served...)
	if d.record != "" {
		args = append(args, "--record", d.record)
	}
	t, err := tailspan.Start(bin, d.log("tailspan"), d.jaeger.env(), d.seen.line, args...)
	if err != nil {
		return err
	}
	defer func() {
		if stopped := t.Stop(); err == nil {
			err = stopped
		}
	}()
	d.say("Tailspan watches it: what is slower than %s goes to Jaeger. The first tables come in half a minute.", slo)
	d.say("Metrics over all requests: %s/metrics", d.address)
	d.jaeger.start(ctx)
	began := time.Now()
	for {
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
		if !t.Alive() {
			return whyEnded(t)
		}
		if err := s.Check(); err != nil {
			return err
		}
		if done, err := d.step(ctx, began); done || err != nil {
			return err
		}
	}
}

// whyEnded tells a kernel that refuses from a failure.
func whyEnded(t *tailspan.Sidecar) error {
	out, err := t.Output()
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if t.ExitCode() == tailspan.Nothing {
		return refusedError(lines[len(lines)-1])
	}
	return fmt.Errorf("tailspan ended by itself (exit code %d), see %s", t.ExitCode(), t.Log)
}

// step is what happens each second of the show; done says that it is over.
func (d *demo) step(ctx context.Context, began time.Time) (done bool, err error) {
	direct, cascade := d.seen.stories()
	age := time.Since(began)
	told := direct != nil && cascade != nil
	if !d.shown.tables && age >= firstTables && (told || age >= patience) {
		d.show(direct, cascade)
	}
	if d.shown.tables {
		d.follow()
	}
	select {
	case err := <-d.jaeger.failed:
		if d.length > 0 {
			return true, err
		}
		d.say("No Jaeger: %v", err)
	default:
	}
	if !d.jaeger.ready.Load() {
		return false, nil
	}
	d.addresses(ctx)
	end := began
	if d.jaeger.readyAt.After(end) {
		end = d.jaeger.readyAt
	}
	if d.length == 0 || time.Since(end) < d.length {
		return false, nil
	}
	return true, d.verdict(ctx)
}
