package topics

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxFacts   = 100_000
	maxLogDirs = 256 // of all brokers

	// A miss looks at the log dirs again, but never more often than every
	// minRescan, and never for more than a fiftieth of the time.
	minRescan   = 200 * time.Millisecond
	rescanShare = 50
)

// Table knows the topics of the traced brokers. Safe for concurrent use.
type Table struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.RWMutex // facts, hooks and counts
	facts map[fact]*named
	hooks []func(pid int32, id [16]byte, name string)
	stats Stats

	recent [64]atomic.Pointer[named] // by id: read without a lock, written under mu

	scan sync.Mutex // log dirs; taken before mu
	dirs map[int32]*broker
}

type fact struct {
	pid int32
	id  [16]byte
}

// named is a fact with its name, for what is asked again and again.
type named struct {
	fact
	name string
}

// slot is where an id, whose bytes are random, is looked for first.
func (t *Table) slot(id [16]byte) *atomic.Pointer[named] {
	return &t.recent[id[15]%byte(len(t.recent))]
}

// Stats counts what the table did and what it could not do.
type Stats struct {
	Known      int           // facts held
	Scans      uint64        // of all log dirs of a broker
	Longest    time.Duration // of them
	Unresolved uint64        // answers without a name
	Full       uint64        // facts refused because the table was full
	Invalid    uint64        // facts or files refused because they were none
	Conflicts  uint64        // facts refused because the id has another name
	Failed     uint64        // log dirs or files that could not be read
}

// New returns an empty table.
func New(log *slog.Logger) *Table {
	return &Table{log: log, now: time.Now, facts: make(map[fact]*named), dirs: make(map[int32]*broker)}
}

// Name resolves an id of a broker. A hit does not allocate; a miss may read
// the log dirs of that broker again.
func (t *Table) Name(pid int32, id [16]byte) (string, bool) {
	if name, ok := t.lookup(pid, id); ok {
		return name, true
	}
	if id != ([16]byte{}) && t.rescan(pid) {
		if name, ok := t.lookup(pid, id); ok {
			return name, true
		}
	}
	t.mu.Lock()
	t.stats.Unresolved++
	t.mu.Unlock()
	return "", false
}

// Known is Name without a look at the log dirs.
func (t *Table) Known(pid int32, id [16]byte) (string, bool) { return t.lookup(pid, id) }

func (t *Table) lookup(pid int32, id [16]byte) (string, bool) {
	key := fact{pid, id}
	slot := t.slot(id)
	if n := slot.Load(); n != nil && n.fact == key {
		return n.name, true
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.facts[key]; n != nil {
		slot.Store(n)
		return n.name, true
	}
	if n := t.facts[fact{0, id}]; n != nil {
		return n.name, true
	}
	return "", false
}

// Learn adds a fact; pid 0 stands for any broker. What is no topic's name or
// id is refused and counted, and so is another name for an id that is known.
func (t *Table) Learn(pid int32, id [16]byte, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := fact{pid, id}
	if was, ok := t.facts[key]; ok {
		if was.name != name {
			t.stats.Conflicts++
		}
		return
	}
	switch {
	case id == [16]byte{} || !validName(name):
		t.stats.Invalid++
		return
	case len(t.facts) >= maxFacts:
		if t.stats.Full++; t.stats.Full == 1 {
			t.log.Warn("topic table is full, later topics are shown by id", "limit", maxFacts)
		}
		return
	}
	t.facts[key] = &named{key, name}
	for _, hook := range t.hooks {
		hook(pid, id, name)
	}
}

// OnLearn calls hook for every fact that is known and for every new one, each
// once. The hook may not call the table.
func (t *Table) OnLearn(hook func(pid int32, id [16]byte, name string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.facts {
		hook(n.pid, n.id, n.name)
	}
	t.hooks = append(t.hooks, hook)
}

// Forget drops what is known of a broker that has ended.
func (t *Table) Forget(pid int32) {
	t.scan.Lock()
	delete(t.dirs, pid)
	t.scan.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	for k := range t.facts {
		if k.pid == pid {
			delete(t.facts, k)
			t.slot(k.id).Store(nil)
		}
	}
}

// Stats may be read at any time.
func (t *Table) Stats() Stats {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.stats
	s.Known = len(t.facts)
	return s
}
