package serve

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// unixSecond is when the test traces begin; each takes 1.5 s.
const unixSecond = 1_800_000_000

func traceOf(n uint64, places ...spans.Place) *spans.Trace {
	start := int64(unixSecond+n) * int64(time.Second)
	t := &spans.Trace{Places: places, Spans: []spans.Span{{Start: start, End: start + 1.5e9}}}
	binary.BigEndian.PutUint64(t.ID[8:], n+1)
	return t
}

func at(topic string, partition int32, base, last int64) spans.Place {
	return spans.Place{Topic: topic, Partition: partition, Base: base, Last: last}
}

func lookup(x *Index, topic string, partition int32, offset int64) string {
	found := x.Lookup("", topic, partition, offset)
	switch len(found) {
	case 0:
		return ""
	case 1:
		k := &found[0]
		return fmt.Sprintf("%x [%d,%d]", k.Trace[15:], k.Base, k.Last)
	}
	return fmt.Sprint(len(found))
}

func TestIndex(t *testing.T) {
	x := NewIndex(4, nil)
	x.Add(traceOf(0, at("a", 0, 10, 19), at("a", 1, 5, 5)))
	x.Add(traceOf(1, at("a", 0, 30, 30)))
	for offset, want := range map[int64]string{9: "", 10: "01 [10,19]", 19: "01 [10,19]", 20: "", 29: "", 30: "02 [30,30]", 31: "", -1: "", math.MaxInt64: ""} {
		if got := lookup(x, "a", 0, offset); got != want {
			t.Errorf("offset %d: %q instead of %q", offset, got, want)
		}
	}
	if lookup(x, "a", 1, 5) != "01 [5,5]" || lookup(x, "a", 2, 5) != "" || lookup(x, "b", 0, 10) != "" {
		t.Error("another partition of the request, or of none")
	}
	if !x.Forgotten().IsZero() {
		t.Error(x.Forgotten())
	}
	// The log was truncated and written anew: what overlaps is there no more.
	x.Add(traceOf(2, at("a", 0, 15, 30)))
	if lookup(x, "a", 0, 10) != "" || lookup(x, "a", 0, 20) != "03 [15,30]" || lookup(x, "a", 0, 30) != "03 [15,30]" {
		t.Error("overlapped places are still there")
	}
	x.Add(traceOf(3, at("b", 0, 0, 0))) // in the room of one that was replaced
	if s := x.Stats(); s != (IndexStats{Places: 3, Partitions: 3, Added: 5, Replaced: 2}) {
		t.Errorf("%+v", s)
	}
	x.Add(traceOf(4, at("b", 0, 1, 1))) // in that of the oldest
	if s := x.Stats(); s != (IndexStats{Places: 3, Partitions: 2, Added: 6, Replaced: 2, Forgotten: 1}) {
		t.Errorf("%+v", s)
	}
	if x.Forgotten() != time.Unix(unixSecond+2, 0) || lookup(x, "a", 1, 5) != "" {
		t.Error(x.Forgotten())
	}
	x.Add(traceOf(5, at("a", 0, -1, 3), at("a", 0, 4, 3), at("a", 0, 0, 1<<32)))
	if s := x.Stats(); s.Refused != 3 || s.Added != 6 {
		t.Errorf("%+v", s)
	}
	k := x.Lookup("", "b", 0, 1)[0]
	if k.From != time.Unix(unixSecond+4, 0) || k.To != time.Unix(unixSecond+6, 0) {
		t.Errorf("%+v", k)
	}
}

func TestIndexClusters(t *testing.T) {
	of := map[*spans.Resource]string{{}: "one", {}: "two"}
	x := NewIndex(2, func(r *spans.Resource) string { return of[r] })
	for r, name := range of {
		tr := traceOf(uint64(len(name)), at("a", 0, 0, 9))
		tr.Resource = r
		tr.ID[0] = name[0]
		x.Add(tr)
	}
	if found := x.Lookup("", "a", 0, 5); len(found) != 2 || found[0].Cluster == found[1].Cluster {
		t.Errorf("%+v", found)
	}
	for _, name := range of {
		if found := x.Lookup(name, "a", 0, 5); len(found) != 1 || found[0].Cluster != name || found[0].Trace[0] != name[0] {
			t.Errorf("%s: %+v", name, found)
		}
	}
	if found := x.Lookup("three", "a", 0, 5); found != nil {
		t.Errorf("%+v", found)
	}
	x.Add(traceOf(0, at("a", 0, 0, 9), at("b", 0, 0, 9)))
	if len(x.clusters) != 1 || len(x.Lookup("", "a", 0, 5)) != 1 {
		t.Errorf("%+v", x.clusters)
	}
}

// TestIndexModel holds it to a list that is searched from its end.
func TestIndexModel(t *testing.T) {
	const size = 50
	type placed struct {
		spans.Place
		id spans.TraceID
	}
	r := rand.New(rand.NewPCG(1, 2))
	x := NewIndex(size, nil)
	var list []placed // nil topic: replaced
	next := [5]int64{}
	for n := range uint64(20_000) {
		topic := "t" + strconv.Itoa(r.IntN(2))
		partition := int32(r.IntN(len(next)))
		base := max(0, next[partition]+int64(r.IntN(9))-4)
		if r.IntN(100) == 0 {
			base = int64(r.IntN(20)) // the topic was made anew
		}
		p := at(topic, partition, base, base+int64(r.IntN(4)))
		next[partition] = p.Last + 1
		tr := traceOf(n, p)
		x.Add(tr)
		for i := range list {
			if q := &list[i]; q.Topic == topic && q.Partition == partition && q.Base <= p.Last && q.Last >= p.Base {
				q.Topic = ""
			}
		}
		list = append(list, placed{p, tr.ID})
		list = list[max(0, len(list)-size):]
		for range 5 {
			offset := base + int64(r.IntN(60)) - 50
			want := ""
			for _, q := range list {
				if q.Topic == topic && q.Partition == partition && q.Base <= offset && offset <= q.Last {
					want = fmt.Sprintf("%x [%d,%d]", q.id[15:], q.Base, q.Last)
				}
			}
			if got := lookup(x, topic, partition, offset); got != want {
				t.Fatalf("after %d: %s-%d offset %d: %q instead of %q", n, topic, partition, offset, got, want)
			}
		}
	}
	live := 0
	for _, q := range list {
		if q.Topic != "" {
			live++
		}
	}
	if s := x.Stats(); s.Places != live || s.Added != 20_000 {
		t.Errorf("%+v, %d in the list", s, live)
	}
}

// TestIndexConcurrent is for the race detector: others may have what was just
// added be forgotten.
func TestIndexConcurrent(t *testing.T) {
	x := NewIndex(1000, nil)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range uint64(5000) {
				base := int64(i) * 2
				x.Add(traceOf(i, at("t", int32(w), base, base+1)))
				if got := x.Lookup("", "t", int32(w), base); len(got) > 1 || len(got) == 1 && got[0].Base != base {
					t.Errorf("%d: %+v", base, got)
					return
				}
				x.Forgotten()
				x.Stats()
			}
		})
	}
	wg.Wait()
	if s := x.Stats(); s.Places != 1000 || s.Forgotten != 19000 {
		t.Errorf("%+v", s)
	}
}

// fill adds traces of one place each until the index is full twice over.
func fill(x *Index, partitions int) (next []int64) {
	next = make([]int64, partitions)
	names := make([]string, partitions)
	for i := range names {
		names[i] = "topic-" + strconv.Itoa(i/16)
	}
	for i := range 2 * len(x.ring) {
		p := i % partitions
		x.Add(traceOf(uint64(i), at(names[p], int32(p%16), next[p], next[p]+9)))
		next[p] += 10
	}
	return next
}

// TestIndexMemory prints what an entry costs, and bounds it.
func TestIndexMemory(t *testing.T) {
	for partitions, most := range map[int]int64{1: 56, 100: 56, 5000: 72, DefaultIndexSize: 280} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		x := NewIndex(0, nil)
		fill(x, partitions)
		runtime.GC()
		runtime.ReadMemStats(&after)
		each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / DefaultIndexSize
		t.Logf("%d partitions: %d bytes an entry", partitions, each)
		if each > most || x.Stats().Places != DefaultIndexSize {
			t.Errorf("%d partitions: %d bytes an entry, %+v", partitions, each, x.Stats())
		}
	}
}

func BenchmarkIndexAdd(b *testing.B) {
	for _, partitions := range []int{1, 100, 5000} {
		b.Run(strconv.Itoa(partitions)+"-partitions", func(b *testing.B) {
			x := NewIndex(0, nil)
			next := fill(x, partitions)
			places := make([]spans.Place, partitions)
			for i := range places {
				places[i] = at("topic-"+strconv.Itoa(i/16), int32(i%16), 0, 0)
			}
			tr := traceOf(0)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p := i % partitions
				// As traces end: nearly in order.
				base := next[p] + []int64{10, 0, 20}[i%3]
				next[p] += 10
				places[p].Base, places[p].Last = base, base+9
				tr.Places = places[p : p+1]
				x.Add(tr)
			}
		})
	}
}

func BenchmarkIndexLookup(b *testing.B) {
	x := NewIndex(0, nil)
	next := fill(x, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := i % 100
		if len(x.Lookup("", "topic-"+strconv.Itoa(p/16), int32(p%16), next[p]-int64(i%1000)-1)) != 1 {
			b.Fatal("not found")
		}
	}
}
