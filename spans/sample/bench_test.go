package sample

import (
	"encoding/binary"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// numbered sets an id that is as good as random.
func numbered(id *spans.TraceID, n uint64) {
	binary.BigEndian.PutUint64(id[:], (n+1)*0x9E3779B97F4A7C15)
	binary.BigEndian.PutUint64(id[8:], (n+1)*0xD1B54A32D192ED03)
}

func take(*spans.Trace) bool { return true }

// heapInUse is what is alive.
func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// cpu is what the process has used of the CPU, garbage collection included.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A stub takes what the documentation says.
func TestBytesOfStubs(t *testing.T) {
	before := heapInUse()
	s := New(Options{SLO: always(time.Second), Keep: 1, Export: take})
	m := &made{sum: spans.Summary{Name: "produce t", Topic: "t", Cause: spans.CauseWrite, RootCause: spans.CauseCommit, Request: true}}
	for n := range uint64(2 * DefaultStubs) {
		numbered(&m.sum.ID, n)
		s.Offer(m)
	}
	each := float64(heapInUse()-before) / DefaultStubs
	t.Logf("%.1f bytes a stub", each)
	if s.stubs.n != DefaultStubs || each > 130 {
		t.Errorf("%d stubs", s.stubs.n)
	}
	runtime.KeepAlive(s)
}

func TestDroppedWithoutAllocation(t *testing.T) {
	s := New(Options{SLO: always(time.Second), Errors: true, Causes: []spans.Cause{spans.CauseGC}, Share: 1e-9, Slowest: 10, MaxSpansRate: 1000, Stubs: 100, Export: take})
	m := &made{sum: spans.Summary{Topic: "t", Latency: ms, Request: true, Cause: spans.CauseWrite}}
	n := uint64(0)
	offer := func() {
		numbered(&m.sum.ID, n)
		m.sum.Start += 100
		n++
		s.Offer(m)
	}
	for range 300 {
		offer()
	}
	if a := testing.AllocsPerRun(1000, offer); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

// BenchmarkOfferStub is a request like most: quick, and dropped in the end.
// Both rings are full.
func BenchmarkOfferStub(b *testing.B) {
	for name, explains := range map[string]bool{"stub": false, "full": true} {
		b.Run(name, func(b *testing.B) {
			s := New(Options{
				SLO: always(time.Second), Errors: true, Causes: []spans.Cause{spans.CauseGC}, Share: 1e-9, Slowest: 10, MaxSpansRate: 1000, Export: take,
			})
			m := &made{sum: spans.Summary{Name: "produce t", Topic: "t", Latency: ms, Request: true, Cause: spans.CauseWrite, Explains: explains}}
			b.ReportAllocs()
			begun := cpu()
			for n := uint64(0); b.Loop(); n++ {
				numbered(&m.sum.ID, n)
				m.sum.Start += 10_000
				s.Offer(m)
			}
			b.ReportMetric(float64(cpu()-begun)/float64(b.N), "cpu-ns/op")
		})
	}
}

// flood offers 100,000 requests a second, all of them slow, of eight topics, to
// a sampler with a budget of 1,000 traces a second.
type flood struct {
	*Sampler
	n        uint64
	exported int
}

const floodRate = 100_000

func newFlood() *flood {
	f := &flood{}
	f.Sampler = New(Options{SLO: always(ms), MaxSpansRate: 5000, Slowest: 10, Export: func(*spans.Trace) bool { f.exported++; return true }})
	return f
}

// next sets the next request's summary.
func (f *flood) next(sum *spans.Summary) {
	*sum = spans.Summary{Name: "produce", Topic: floodTopics[f.n%8], Request: true, Explains: f.n%10 == 0}
	numbered(&sum.ID, f.n)
	sum.Latency = ms + time.Duration(f.n*7919%997)*100*time.Microsecond
	sum.Start = int64(time.Hour) + int64(f.n)*int64(time.Second/floodRate) - int64(sum.Latency)
	f.n++
}

var floodTopics = [8]string{"a", "b", "c", "d", "e", "f", "g", "h"}

// light is a candidate that costs little to make.
type light struct {
	sum   spans.Summary
	trace spans.Trace
}

func (l *light) Summary() spans.Summary { return l.sum }

func (l *light) BuildTrace() *spans.Trace {
	l.trace = spans.Trace{ID: l.sum.ID, Spans: fiveSpans[:]}
	return &l.trace
}

var fiveSpans [5]spans.Span

// BenchmarkFlood is what that takes. The candidates are made before: each is
// offered again when it is long forgotten.
func BenchmarkFlood(b *testing.B) {
	f := newFlood()
	all := make([]light, 1<<17)
	offer := func() {
		l := &all[f.n%uint64(len(all))]
		f.next(&l.sum)
		f.Offer(l)
	}
	for range 2 * floodRate {
		offer()
	}
	b.ReportAllocs()
	f.exported = 0
	from, begun := f.n, cpu()
	for b.Loop() {
		offer()
	}
	b.ReportMetric(float64(cpu()-begun)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(f.exported)/(float64(f.n-from)/floodRate), "traces/s")
}

// heavy is a candidate as large as an assembled request.
type heavy struct {
	light
	_ [2048]byte
}

// What a flood makes it hold, at the end of a second, is bounded.
func TestHeldInFlood(t *testing.T) {
	before := heapInUse()
	f := newFlood()
	for range 4*floodRate - 1 {
		l := &heavy{}
		f.next(&l.sum)
		f.Offer(l)
	}
	held := float64(heapInUse()-before) / (1 << 20)
	st := f.Stats()
	t.Logf("%.1f MiB: %d competing, %d in full, %d stubs; %d exported", held, f.pool.load.all, f.full.n, f.stubs.n, f.exported)
	if held > 40 || f.pool.load.all > 1100 {
		t.Error("too much")
	}
	if st.All.Seen != st.All.Kept()+st.All.Dropped()+st.All.Pending || f.exported < 3*600 {
		t.Errorf("%+v", st)
	}
	runtime.KeepAlive(f)
}
