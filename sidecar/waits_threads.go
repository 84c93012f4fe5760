package sidecar

import (
	"math"

	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/jfr"
)

// table numbers values from 1 on, as they come for the first time; 0 stands
// for the zero value, and for what comes when the table is full.
type table[T comparable] struct {
	numbers map[T]uint32
	values  []T
}

// maxTable bounds a table.
const maxTable = 1 << 16

func (t *table[T]) of(v T) uint32 {
	var zero T
	if t.numbers == nil {
		t.numbers, t.values = map[T]uint32{zero: 0}, []T{zero}
	}
	n, ok := t.numbers[v]
	if !ok && len(t.values) < maxTable {
		n = uint32(len(t.values))
		t.numbers[v] = n
		t.values = append(t.values, v)
	}
	return n
}

func (t *table[T]) at(n uint32) T { return t.values[n] }

// threadTable are the threads of a JFR recording, and what they are here.
type threadTable struct {
	table[jfr.Thread]
	host []event.Thread // by number; TID 0: not known
}

// commBytes is how much of a thread's name the kernel keeps (TASK_COMM_LEN).
const commBytes = 15

// alike says whether a thread of which the recording knows a name can be the
// one that JFR calls java: a name may be cut to what the kernel keeps, which
// HotSpot chooses in another way from JDK 22 on.
func alike(known, java string) bool {
	cut := jvm.KernelNames(java)
	return known == java || known == cut[0] || known == cut[1]
}

// find looks up each thread among those of the broker that the recording
// names: by its full name, if it is the only one of that name, which holds in
// any pid namespace; else by its number, if the one of that number can have
// that name. Where numbers are found to agree like that, and none to disagree,
// the JVM's are the host's, and a thread of which nothing was seen is what its
// number says.
func (t *threadTable) find(pid int32, seen map[int32]string) {
	named := byName(seen)
	t.host = make([]event.Thread, max(1, len(t.values)))
	agree, disagree := 0, 0
	for n, x := range t.values {
		tid := numberOf(x)
		name := seen[tid]
		switch {
		case x.Name == "" || n == 0:
			continue
		case named[x.Name] > 0:
			t.host[n] = event.Thread{PID: pid, TID: named[x.Name], Name: x.Name}
			if named[x.Name] != tid {
				disagree++
				continue
			}
			agree++
		case name == "": // not seen, or not named
		case alike(name, x.Name):
			t.host[n] = event.Thread{PID: pid, TID: tid, Name: x.Name}
			agree++
		default:
			disagree++
		}
	}
	if agree == 0 || disagree > 0 {
		return
	}
	for n, x := range t.values {
		if tid := numberOf(x); t.host[n].TID == 0 && tid != 0 {
			t.host[n] = event.Thread{PID: pid, TID: tid, Name: x.Name}
		}
	}
}

// numberOf is the thread's number in the JVM's pid namespace, 0 if it has none.
func numberOf(x jfr.Thread) int32 {
	if x.OSID <= 0 || x.OSID > math.MaxInt32 {
		return 0
	}
	return int32(x.OSID)
}

// byName is each full name with the thread that has it, -1 if several have.
func byName(seen map[int32]string) map[string]int32 {
	named := map[string]int32{}
	for tid, name := range seen {
		if len(name) == commBytes {
			continue // it may be cut
		}
		if named[name] != 0 {
			tid = -1
		}
		named[name] = tid
	}
	return named
}
