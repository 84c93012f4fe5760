// Experiment measures one load on one stalling disk under the file systems and
// settings of the blog post's study, and puts what came out into
// deploy/lab/EXPERIMENT.md. It goes on where it was stopped.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"os/exec"

	"github.com/tailspan/tailspan/deploy/lab/bench"
	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/experiment"
	"github.com/tailspan/tailspan/deploy/lab/figures"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
)

const document = "deploy/lab/EXPERIMENT.md"

func main() {
	slowdisk.Main()
	p := &experiment.Plan{Settings: experiment.Settings, Schedule: slowdisk.Story, Kafka: string(kafka.Default), Machine: figures.Machine()}
	flag.IntVar(&p.Rounds, "rounds", 3, "how many times all settings")
	flag.DurationVar(&p.For, "for", 45*time.Second, "how long each is recorded")
	flag.DurationVar(&p.WarmUp, "warm-up", 10*time.Second, "load before that")
	dir := flag.String("dir", "", "what is measured goes to this directory (default: in the lab's cache)")
	fresh := flag.Bool("fresh", false, "measure all anew")
	update := flag.Bool("update", true, "put the figures into "+document)
	bench.Main("experiment", func(ctx context.Context, s bench.Stage) error {
		if *dir == "" {
			all, err := cache.Dir()
			if err != nil {
				return err
			}
			*dir = filepath.Join(all, "experiment")
		}
		if *fresh {
			if err := experiment.Fresh(*dir); err != nil {
				return err
			}
		}
		out, err := child.Guard(exec.CommandContext(ctx, s.Bin, "version")).Output()
		if err != nil {
			return fmt.Errorf("tailspan version: %w", err)
		}
		if _, err := fmt.Sscanf(string(out), "tailspan %s", &p.Tailspan); err != nil {
			return fmt.Errorf("tailspan version: %q: %w", out, err)
		}
		return run(ctx, s, p, *dir, *update)
	})
}

func run(ctx context.Context, s bench.Stage, p *experiment.Plan, dir string, update bool) error {
	state, err := experiment.Open(dir, p)
	if err != nil {
		return err
	}
	if err := state.Run(ctx, s, os.Stdout); err != nil {
		return err
	}
	fmt.Println("comparing")
	r, err := state.Compare(ctx, s.Bin)
	if err != nil {
		return err
	}
	text := r.Markdown()
	fmt.Printf("\n%s\nthe page: %s\n", text, state.Page())
	if !update {
		return nil
	}
	_, replace, err := repo.SectionOf(document, experiment.Begin, experiment.End)
	if err != nil {
		return err
	}
	return replace(text)
}
