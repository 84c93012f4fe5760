package serve

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// DefaultIndexSize is how many places an Index remembers: 50 to 60 bytes each,
// and 250 where each is the only one of its partition: 3 to 16 MB in all.
const DefaultIndexSize = 1 << 16

// Index remembers where the records of kept traces are: the batches of each
// partition, and the trace that each came with. It is bounded; the oldest place
// is forgotten for a new one. A log holds no two batches with one offset: what
// is added takes the place of what it overlaps. Safe for concurrent use.
type Index struct {
	clusterOf func(*spans.Resource) string

	mu        sync.Mutex
	ring      []entry // in the order in which they were added
	next      int
	logs      []log // 0 is none
	byName    map[logName]uint32
	spare     []uint32 // of logs
	clusters  []clusterLogs
	forgotten uint32 // the latest Unix second of a trace that was forgotten
	stats     IndexStats
}

// entry is one place. It has no pointers, and no padding.
type entry struct {
	trace    spans.TraceID
	base     int64
	more     uint32 // last offset - base
	log      uint32 // 0: free
	from, to uint32 // of the trace, Unix s
}

func (e *entry) last() int64 { return e.base + int64(e.more) }

// log is the places of one partition.
type log struct {
	name logName
	at   []uint32 // in the ring, by base; from head on
	head int
}

type logName struct {
	cluster, topic string
	partition      int32
}

// clusterLogs counts the logs of a cluster.
type clusterLogs struct {
	cluster string
	logs    int
}

// IndexStats counts what an Index did.
type IndexStats struct {
	Places     int    // remembered
	Partitions int    // that they are in
	Added      uint64 // places
	Forgotten  uint64 // for want of room
	Replaced   uint64 // by others with the same offsets
	Refused    uint64 // that can be none
}

// NewIndex returns an Index of a size (0: the default). clusterOf names the
// cluster of a broker, "" where that is not known; nil: it never is. It is
// called for each trace.
func NewIndex(size int, clusterOf func(*spans.Resource) string) *Index {
	if size <= 0 {
		size = DefaultIndexSize
	}
	return &Index{clusterOf: clusterOf, ring: make([]entry, size), logs: make([]log, 1), byName: map[logName]uint32{}}
}

// Add remembers the places of a trace that was kept.
func (x *Index) Add(t *spans.Trace) {
	if len(t.Places) == 0 || len(t.Spans) == 0 {
		return
	}
	cluster := ""
	if x.clusterOf != nil && t.Resource != nil {
		cluster = x.clusterOf(t.Resource)
	}
	root := t.Root()
	from, to := seconds(root.Start), seconds(root.End+int64(time.Second)-1)
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range t.Places {
		p := &t.Places[i]
		if p.Base < 0 || p.Last < p.Base || p.Last-p.Base > math.MaxInt32 {
			x.stats.Refused++
			continue
		}
		x.add(logName{cluster, p.Topic, p.Partition},
			entry{trace: t.ID, base: p.Base, more: uint32(p.Last - p.Base), from: from, to: to})
	}
}

// seconds of Unix ns, within uint32's range: until 2106.
func seconds(ns int64) uint32 {
	return uint32(min(max(ns/int64(time.Second), 0), math.MaxUint32))
}

func (x *Index) add(name logName, e entry) {
	slot := uint32(x.next)
	x.next = (x.next + 1) % len(x.ring)
	if old := &x.ring[slot]; old.log != 0 {
		x.forgotten = max(x.forgotten, old.to)
		x.stats.Forgotten++
		x.forget(slot)
	}
	e.log = x.logOf(name)
	l := &x.logs[e.log]
	x.ring[slot] = e
	x.stats.Added++
	x.stats.Places++
	from, to := x.overlapped(l, e.base, e.last())
	for _, old := range l.at[from:to] {
		x.ring[old].log = 0
		x.stats.Replaced++
		x.stats.Places--
	}
	l.put(from, to, slot)
}

// logOf finds or makes the log of a partition.
func (x *Index) logOf(name logName) uint32 {
	if i, ok := x.byName[name]; ok {
		return i
	}
	i := uint32(len(x.logs))
	if n := len(x.spare); n > 0 {
		i, x.spare = x.spare[n-1], x.spare[:n-1]
	} else {
		x.logs = append(x.logs, log{})
	}
	x.logs[i].name = name
	x.byName[name] = i
	k := slices.IndexFunc(x.clusters, func(c clusterLogs) bool { return c.cluster == name.cluster })
	if k < 0 {
		k = len(x.clusters)
		x.clusters = append(x.clusters, clusterLogs{cluster: name.cluster})
	}
	x.clusters[k].logs++
	return i
}

// overlapped are the indexes [from, to) in l.at of what has an offset of
// [base, last]; what has none gives where it would be.
func (x *Index) overlapped(l *log, base, last int64) (from, to int) {
	live := l.at[l.head:]
	from, _ = slices.BinarySearchFunc(live, base, func(at uint32, base int64) int {
		if x.ring[at].last() < base {
			return -1
		}
		return 1
	})
	to = from
	for to < len(live) && x.ring[live[to]].base <= last {
		to++
	}
	return l.head + from, l.head + to
}

// forget takes a slot out of its log, and an empty log out of the table.
func (x *Index) forget(slot uint32) {
	e := &x.ring[slot]
	l := &x.logs[e.log]
	from, to := x.overlapped(l, e.base, e.base)
	l.take(from, to)
	x.stats.Places--
	if len(l.at) == l.head {
		x.forgetLog(e.log)
	}
	e.log = 0
}

func (x *Index) forgetLog(i uint32) {
	l := &x.logs[i]
	k := slices.IndexFunc(x.clusters, func(c clusterLogs) bool { return c.cluster == l.name.cluster })
	if x.clusters[k].logs--; x.clusters[k].logs == 0 {
		x.clusters = slices.Delete(x.clusters, k, k+1)
	}
	delete(x.byName, l.name)
	l.empty()
	x.spare = append(x.spare, i)
}

// Kept is the place of a kept trace.
type Kept struct {
	Cluster    string
	Trace      spans.TraceID
	Base, Last int64
	From, To   time.Time // of the trace, outwards to whole seconds
}

// Lookup finds the kept trace of the record at an offset: of a cluster, or of
// whichever there are (""), one of each.
func (x *Index) Lookup(cluster, topic string, partition int32, offset int64) (found []Kept) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.clusters {
		name := logName{x.clusters[i].cluster, topic, partition}
		if cluster != "" && cluster != name.cluster {
			continue
		}
		l := &x.logs[x.byName[name]]
		if from, to := x.overlapped(l, offset, offset); from < to {
			e := &x.ring[l.at[from]]
			found = append(found, Kept{name.cluster, e.trace, e.base, e.last(), time.Unix(int64(e.from), 0), time.Unix(int64(e.to), 0)})
		}
	}
	return found
}

// Forgotten is up to when kept traces may have been forgotten; zero: none was.
func (x *Index) Forgotten() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.forgotten == 0 {
		return time.Time{}
	}
	return time.Unix(int64(x.forgotten), 0)
}

// Stats counts what it did.
func (x *Index) Stats() IndexStats {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.stats
	s.Partitions = len(x.byName)
	return s
}
