package kafka

import (
	"embed"
	"slices"
)

// Version is a release of Kafka that Maven serves.
type Version string

// The releases of the lab: each is pinned, with the logging library that its
// own distribution ships, by a file below pom.
const (
	V2_8 Version = "2.8.2" // the last with ZooKeeper alone fit for use: KRaft was early access
	V3_9 Version = "3.9.2" // the last with both; KRaft here
	V4_1 Version = "4.1.1" // what the recordings and the README were made with
	V4_4 Version = "4.4.0" // the newest
)

// Default is the version that scenes run, and whose tools serve all others.
const Default = V4_1

// Versions are those of the matrix, from old to new.
func Versions() []Version { return []Version{V2_8, V3_9, V4_1, V4_4} }

//go:embed pom/*.xml
var poms embed.FS

func (v Version) pom() ([]byte, error) { return poms.ReadFile("pom/" + string(v) + ".xml") }

// zooKeeper says whether the cluster's metadata is kept in ZooKeeper.
func (v Version) zooKeeper() bool { return v == V2_8 }

// log4j1 says whether it logs by log4j 1 or its heir reload4j; else log4j 2.
func (v Version) log4j1() bool { return slices.Contains([]Version{V2_8, V3_9}, v) }
