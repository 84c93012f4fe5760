package main

import (
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/vm"
)

// slowDisks take so few writes that a commit is waited for.
var slowDisks = []vm.Disk{
	{Name: "ordered", Type: "ext4", Writes: 60},
	{Name: "writeback", Type: "ext4", Data: "data=writeback", Writes: 60},
	{Name: "fastcommit", Type: "ext4", Feature: "fast_commit", Writes: 60},
	{Name: "xfs", Type: "xfs", Writes: 60},
}

func diskNames() string {
	var all []string
	for _, d := range slowDisks {
		all = append(all, d.Name)
	}
	return strings.Join(all, ", ")
}
