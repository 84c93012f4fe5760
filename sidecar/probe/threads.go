package probe

import (
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/event"
)

// maxThreads bounds the threads whose full names are known, of all processes.
const maxThreads = 1 << 14

// threads are the full names of Java threads, of which the kernel knows 15
// bytes. They come from a thread dump and, of threads that begin later, from
// the probe at their start, which is the later word on a thread id.
//
// That a thread ends, or that its id is a native thread's then, is not told.
// So a full name counts where the kernel's is what HotSpot makes of it: where
// the thread is another one, or has been renamed, the kernel's stands.
type threads struct {
	known map[uint64]*threadName
}

type threadName struct {
	name    string
	short   [2]string // what the kernel has of it, up to JDK 21 and later
	cut     bool      // the name is not whole: the end of short[1] is not known
	started bool      // by the probe
	used    bool      // since the table was full
}

func newThreads() threads { return threads{map[uint64]*threadName{}} }

func threadKey(pid, tid int32) uint64 { return uint64(uint32(pid))<<32 | uint64(uint32(tid)) }

// Threads takes the names that a dump gave of a process's threads; what began
// since is known better. None at all: the process has ended.
func (c *Converter) Threads(pid int32, names map[int32]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(names) == 0 {
		c.threads.forget(pid)
	}
	for _, tid := range slices.Sorted(maps.Keys(names)) { // a replay's table is the same
		e := c.threads.known[threadKey(pid, tid)]
		if name := names[tid]; len(name) <= jvm.MaxThreadName && (e == nil || !e.started) {
			c.threads.put(pid, tid, newThreadName(name))
		}
	}
}

// start is the probe's word; name is modified UTF-8, cut at a bound.
func (t *threads) start(pid, tid int32, name []byte) {
	e := newThreadName(jvm.JavaText(name))
	e.cut = e.cut || len(name) >= jvm.MaxThreadName
	e.started = true
	t.put(pid, tid, e)
}

func (t *threads) put(pid, tid int32, e *threadName) {
	key := threadKey(pid, tid)
	if t.known[key] == nil && len(t.known) >= maxThreads {
		t.sweep()
	}
	if len(t.known) < maxThreads || t.known[key] != nil {
		t.known[key] = e
	}
}

// sweep lets go of the threads that did nothing since it was done last: of a
// process that starts one after the other most have ended.
func (t *threads) sweep() {
	maps.DeleteFunc(t.known, func(_ uint64, e *threadName) bool { return !e.used })
	for _, e := range t.known {
		e.used = false
	}
}

func (t *threads) forget(pid int32) {
	maps.DeleteFunc(t.known, func(key uint64, _ *threadName) bool { return int32(key>>32) == pid })
}

// threadOf is a thread by its full name, if that is known, and else by the
// kernel's; comm is that one, nil where the record has none.
func (c *Converter) threadOf(pid, tid int32, comm []byte) event.Thread {
	th := event.Thread{PID: pid, TID: tid}
	e := c.threads.known[threadKey(pid, tid)]
	if e != nil && (len(comm) == 0 || e.is(comm)) {
		e.used = true
		th.Name = e.name
	} else {
		th.Name = c.names.of(comm)
	}
	return th
}

// other is a thread that a record names beside its own; 0 is none.
func (c *Converter) other(pid, tid int32) event.Thread {
	if tid == 0 {
		return event.Thread{PID: pid}
	}
	return c.threadOf(pid, tid, nil)
}

// is says whether the kernel's name is this one's.
func (e *threadName) is(comm []byte) bool {
	if string(comm) == e.short[0] {
		return true
	}
	if e.cut && len(comm) == commLen {
		return string(comm[:dotted]) == e.short[1][:dotted]
	}
	return string(comm) == e.short[1]
}

const (
	commLen = 15 // TASK_COMM_LEN without its NUL
	dotted  = 9  // bytes of a middle cut out, the dots included
)

func newThreadName(name string) *threadName {
	return &threadName{name: name, short: jvm.KernelNames(name), cut: len(name) > jvm.MaxThreadName-utf8.UTFMax}
}
