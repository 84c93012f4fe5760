package probe

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
)

// rawStart is the start of a thread of process 100.
func rawStart(tid uint32, name string) []byte {
	b := header(byte(bpf.KindThreadStart), len(name), 10)
	binary.LittleEndian.PutUint32(b[8:], tid)
	return append(binary.LittleEndian.AppendUint64(b, 7), name...)
}

// rawExit is a monitor's exit by a thread of process 100 that the kernel calls comm.
func rawExit(tid uint32, comm string) []byte {
	b := header(byte(bpf.KindMonitorExit), 0, 20)
	binary.LittleEndian.PutUint32(b[8:], tid)
	b = binary.LittleEndian.AppendUint64(b, 0xabc)
	b = binary.LittleEndian.AppendUint64(b, 7)
	return append(append(b, comm...), make([]byte, 16-len(comm))...)
}

const handler = "data-plane-kafka-request-handler-24"

// exits runs steps, raw records and dumps, and returns what the threads of the
// exits among them are called.
func exits(steps ...any) (called []string) {
	c := New(Options{Emit: func(e event.Event) { called = append(called, e.(*event.MonitorExit).Name) }})
	for _, s := range steps {
		switch s := s.(type) {
		case []byte:
			c.Record(s)
		case map[int32]string:
			c.Threads(100, s)
		}
	}
	return called
}

func TestThreadNames(t *testing.T) {
	long := strings.Repeat("longer", 30)
	crab := "\U0001f980\U0001f980\U0001f980"
	modified := strings.Repeat("\xed\xa0\xbe\xed\xb6\x80", 3)
	for what, c := range map[string]struct {
		steps []any
		want  string
	}{
		"nothing is known":          {[]any{rawExit(5, "data-plane-kafk")}, "data-plane-kafk"},
		"by a dump":                 {[]any{map[int32]string{5: handler}, rawExit(5, "data-plane-kafk")}, handler},
		"as JDK 22 cuts it":         {[]any{map[int32]string{5: handler}, rawExit(5, "data-pl..ler-24")}, handler},
		"short":                     {[]any{map[int32]string{5: "one"}, rawExit(5, "one")}, "one"},
		"of another":                {[]any{map[int32]string{6: handler}, rawExit(5, "data-plane-kafk")}, "data-plane-kafk"},
		"by its start":              {[]any{rawStart(5, handler), rawExit(5, "data-plane-kafk")}, handler},
		"its start is later":        {[]any{map[int32]string{5: "old"}, rawStart(5, handler), rawExit(5, "data-plane-kafk")}, handler},
		"a dump from before":        {[]any{rawStart(5, handler), map[int32]string{5: "data-plane-kafka-old"}, rawExit(5, "data-plane-kafk")}, handler},
		"a later dump":              {[]any{map[int32]string{5: "old"}, map[int32]string{5: handler}, rawExit(5, "data-plane-kafk")}, handler},
		"a native thread now":       {[]any{map[int32]string{5: handler}, rawExit(5, "native")}, "native"},
		"renamed":                   {[]any{rawStart(5, "worker-1"), rawExit(5, "worker-2")}, "worker-2"},
		"and back":                  {[]any{rawStart(5, handler), rawExit(5, "x"), rawExit(5, "data-plane-kafk")}, handler},
		"gone":                      {[]any{map[int32]string{5: handler}, map[int32]string{}, rawExit(5, "data-plane-kafk")}, "data-plane-kafk"},
		"gone, begun":               {[]any{rawStart(5, handler), map[int32]string(nil), rawExit(5, "data-plane-kafk")}, "data-plane-kafk"},
		"started anew":              {[]any{rawStart(5, "old"), map[int32]string(nil), map[int32]string{5: handler}, rawExit(5, "data-plane-kafk")}, handler},
		"cut":                       {[]any{rawStart(5, long[:128]), rawExit(5, long[:15])}, long[:128]},
		"cut, of JDK 22":            {[]any{rawStart(5, long[:128]), rawExit(5, long[:7]+"..123456")}, long[:128]},
		"cut, of another":           {[]any{rawStart(5, long[:128]), rawExit(5, "another..123456")}, "another..123456"},
		"beyond the BMP":            {[]any{rawStart(5, modified), rawExit(5, modified[:15])}, crab},
		"beyond the BMP, by a dump": {[]any{map[int32]string{5: crab}, rawExit(5, modified[:15])}, crab},
		"with a NUL":                {[]any{rawStart(5, "a\xc0\x80b"), rawExit(5, "a\xc0\x80b")}, "a\x00b"},
		"too long to be one":        {[]any{map[int32]string{5: long}, rawExit(5, long[:15])}, long[:15]},
	} {
		if got := exits(c.steps...); got[len(got)-1] != c.want {
			t.Errorf("%s: %q, want %q", what, got[len(got)-1], c.want)
		}
	}
}

// TestThreadsBounded starts more threads than are kept: those that go on doing
// something keep their names, and the latest has its own.
func TestThreadsBounded(t *testing.T) {
	last := ""
	c := New(Options{Emit: func(e event.Event) { last = e.(*event.MonitorExit).Name }})
	c.Threads(100, map[int32]string{1: handler})
	for n := range uint32(3 * maxThreads) {
		c.Record(rawStart(n+2, fmt.Sprint("thread-", n)))
		if n%1000 == 0 {
			c.Record(rawExit(1, "data-plane-kafk"))
			if last != handler {
				t.Fatalf("after %d threads it is %q", n, last)
			}
		}
		if len(c.threads.known) > maxThreads {
			t.Fatalf("%d names", len(c.threads.known))
		}
	}
	c.Record(rawExit(3*maxThreads+1, fmt.Sprint("thread-", 3*maxThreads-1)))
	if want := fmt.Sprint("thread-", 3*maxThreads-1); last != want {
		t.Errorf("the last is %q", last)
	}
}

// TestKnownThreadAllocates: a record of a thread whose name is known allocates
// its event and nothing else.
func TestKnownThreadAllocates(t *testing.T) {
	c := New(Options{Emit: func(event.Event) {}})
	raw := rawExit(5, "data-plane-kafk")
	c.Record(raw)
	short := testing.AllocsPerRun(100, func() { c.Record(raw) })
	c.Threads(100, map[int32]string{5: handler})
	if whole := testing.AllocsPerRun(100, func() { c.Record(raw) }); whole > short || short > 1 {
		t.Errorf("%v allocations, %v without its name", whole, short)
	}
}

// BenchmarkNamed is BenchmarkRecord with the name of the thread known.
func BenchmarkNamed(b *testing.B) {
	c := New(Options{Emit: func(event.Event) {}})
	c.Threads(100, map[int32]string{101: handler})
	raw := rawWrite("orders-3", true)
	b.ReportAllocs()
	for b.Loop() {
		c.Record(raw)
	}
}
