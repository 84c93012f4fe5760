package bpf

import "slices"

// group is what one program sees at its sites, and a subject of [Probes.Status].
type group struct{ subject, program string }

var (
	monitors = group{SubjectMonitor, probesProgMonitor}
	life     = group{SubjectLife, probesProgJvmLife}
	parkers  = group{SubjectParker, probesProgPark}
)

var groups = []group{monitors, life, parkers}

// PerProcess says whether a subject is seen by probes in the libraries of single
// processes (see [Probes.AttachSites]): until then it is not attached.
func PerProcess(subject string) bool {
	return slices.ContainsFunc(groups, func(g group) bool { return g.subject == subject })
}

// The ends of what lasts; as in kern/site.h.
const (
	edgeNone = iota
	edgeBegin
	edgeEnd
)

// siteKind is what a probe's site makes of a hit.
type siteKind struct {
	group group
	kind  Kind
	edge  uint8
	flags uint8
	args  []int // of the probe, in the order that the program wants; none: not given, and 0
}

const none = -1

// siteKinds are the probes that [Probes.AttachSites] knows; others are refused.
// HotSpot's are described in its dtrace/hotspot.d, its functions in package jvm.
var siteKinds = map[string]siteKind{
	"monitor__contended__enter":   {group: monitors, kind: KindMonitorEnter, args: []int{0, 1, 2, 3}},
	"monitor__contended__entered": {group: monitors, kind: KindMonitorEntered, args: []int{0, 1}},
	"monitor__contended__exit":    {group: monitors, kind: KindMonitorExit, args: []int{0, 1}},

	"ObjectMonitor::enter_internal":        {group: monitors, kind: KindMonitorEnter, flags: monitorFunc, args: []int{none, 0}},
	"ObjectMonitor::enter_internal:return": {group: monitors, kind: KindMonitorEntered, flags: monitorFunc},
	"ObjectMonitor::exit_epilog":           {group: monitors, kind: KindMonitorExit, flags: monitorFunc, args: []int{none, 0}},

	// Of thread__start the name, its length and Java's thread id are given first.
	"thread__start": {group: life, kind: KindThreadStart, args: []int{2, 0, 1}},
	"vmops__begin":  {group: life, kind: KindVMOperation, edge: edgeBegin, args: []int{0, 1, 2}},
	"vmops__end":    {group: life, kind: KindVMOperation, edge: edgeEnd, args: []int{0, 1}},
	"gc__begin":     {group: life, kind: KindGC, edge: edgeBegin, args: []int{none, none, 0}},
	"gc__end":       {group: life, kind: KindGC, edge: edgeEnd},

	// Between the two an unpark may come, from another thread.
	"thread__park__begin": {group: parkers, kind: KindPark, edge: edgeBegin, args: []int{0, 1, 2}},
	"thread__park__end":   {group: parkers, kind: KindPark, edge: edgeEnd, args: []int{0}},
	"thread__unpark":      {group: parkers, kind: KindPark, args: []int{0}},
}
