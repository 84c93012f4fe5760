package experiment

import "github.com/tailspan/tailspan/deploy/lab/slowdisk"

// Setting is one that the blog post's authors tried, and what they saw of it.
type Setting struct {
	Name   string // of the recordings, too
	Format slowdisk.Format
	Blog   string
}

// Settings are those of the blog post; the others are compared with the first.
var Settings = []Setting{
	{"ext4", slowdisk.Format{}, "p999 3 s"},
	{"commit=1", slowdisk.Format{Data: "commit=1"}, "no significant difference"},
	{"commit=3", slowdisk.Format{Data: "commit=3"}, "no significant difference"},
	{"writeback", slowdisk.Format{Data: "data=writeback"}, "p999 800 ms"},
	{"fast_commit", slowdisk.Format{Feature: "fast_commit"}, "p999 500 ms"},
	{"xfs", slowdisk.Format{Type: "xfs"}, "82 % fewer over 65 ms"},
}
