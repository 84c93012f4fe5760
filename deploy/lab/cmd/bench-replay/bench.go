package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/figures"
)

// bench runs the commands on one capture.
type bench struct {
	capture
	tailspan, loop string
	packets        int
	requests       int
	replays, bares []cost
	tsharks        []cost
}

// run checks that all see the same, then measures.
func (b *bench) run(ctx context.Context, pairs, rounds int) error {
	if _, err := b.replay(ctx, &b.requests, "requests"); err != nil {
		return err
	}
	for range rounds {
		if err := b.dissect(ctx); err != nil {
			return err
		}
	}
	for i := range pairs {
		if err := b.pair(ctx, i%2 == 1); err != nil {
			return err
		}
	}
	return b.report()
}

// pair runs tailspan and the loop, every other time the loop first.
func (b *bench) pair(ctx context.Context, loopFirst bool) error {
	for i := range 2 {
		if err := b.half(ctx, (i == 0) == loopFirst); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) half(ctx context.Context, loop bool) error {
	n := 0
	if !loop {
		c, err := b.replay(ctx, &n, "none")
		b.replays = append(b.replays, c)
		return err
	}
	c, err := timed(ctx, lines(&n, number), b.loop, b.path)
	b.bares = append(b.bares, c)
	if err == nil && n != b.packets {
		err = fmt.Errorf("the bare loop sees %d TCP packets of %d", n, b.packets)
	}
	return err
}

func number(line []byte) int { n, _ := strconv.Atoi(string(line)); return n }

// replay counts the lines that it prints.
func (b *bench) replay(ctx context.Context, into *int, print string) (cost, error) {
	return timed(ctx, lines(into, func([]byte) int { return 1 }), b.tailspan, "replay",
		"--port", strconv.Itoa(b.port), "--print", print, "--format", "jsonl", b.path)
}

// dissect has tshark list the produce requests, with their times and
// correlation ids, and holds their number to Tailspan's.
func (b *bench) dissect(ctx context.Context) error {
	n := 0
	c, err := timed(ctx, lines(&n, produceKeys), "tshark", "-r", b.path, "-d", fmt.Sprintf("tcp.port==%d,kafka", b.port),
		"-Y", fmt.Sprintf("tcp.dstport==%d && kafka.request_key==0", b.port), "-T", "fields", "-e", "kafka.request_key",
		"-e", "frame.time_epoch", "-e", "tcp.srcport", "-e", "kafka.correlation_id")
	b.tsharks = append(b.tsharks, c)
	if err == nil && n != b.requests {
		err = fmt.Errorf("tshark sees %d produce requests, tailspan %d", n, b.requests)
	}
	return err
}

// produceKeys counts the zeros in the first column: one packet may hold several
// requests.
func produceKeys(line []byte) (n int) {
	keys, _, _ := strings.Cut(string(line), "\t")
	for key := range strings.SplitSeq(keys, ",") {
		if key == "0" {
			n++
		}
	}
	return n
}

// The limits: against tshark in requests a second, against the bare loop in
// time.
const (
	tsharkAtLeast = 25
	loopAtMost    = 3
)

func (b *bench) report() error {
	wall := func(c cost) time.Duration { return c.wall }
	cpu := func(c cost) time.Duration { return c.cpu }
	fmt.Printf("%d packets, %d produce requests, on %s\nmedians of whole commands:\n", b.packets, b.requests, figures.Machine())
	b.row("tailspan replay", b.replays)
	b.row("bare gopacket loop", b.bares)
	b.row("tshark", b.tsharks)
	loop := ratio(b.replays, b.bares, wall)
	fmt.Printf("  %.2f × the time of the bare loop, %.2f × its CPU time (limit %d ×)\n", loop, ratio(b.replays, b.bares, cpu), loopAtMost)
	missed := loop > loopAtMost
	if len(b.tsharks) > 0 {
		tshark := ratio(b.tsharks, b.replays, wall)
		fmt.Printf("  %.1f × the requests a second of tshark, %.1f × by CPU time (limit %d ×)\n", tshark, ratio(b.tsharks, b.replays, cpu), tsharkAtLeast)
		missed = missed || tshark < tsharkAtLeast
	}
	if missed {
		return fmt.Errorf("a limit was missed")
	}
	return nil
}

func (b *bench) row(who string, all []cost) {
	wall, cpu := median(all, func(c cost) time.Duration { return c.wall }), median(all, func(c cost) time.Duration { return c.cpu })
	if wall == 0 {
		return
	}
	fmt.Printf("  %-19s %8.1f ms  CPU %8.1f ms  %6.0f ns a packet  %9.0f requests a second  (%d runs)\n", who,
		ms(wall), ms(cpu), float64(wall)/float64(b.packets), float64(b.requests)/wall.Seconds(), len(all))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(all []cost, of func(cost) time.Duration) time.Duration {
	v := make([]time.Duration, len(all))
	for i, c := range all {
		v[i] = of(c)
	}
	return figures.Median(v)
}

func ratio(a, b []cost, of func(cost) time.Duration) float64 {
	return float64(median(a, of)) / float64(median(b, of))
}
