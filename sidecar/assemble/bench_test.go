package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// nowhere takes rows and candidates, and builds none.
type nowhere struct{}

func (nowhere) Request(*RequestRow) {}
func (nowhere) Write(*WriteRow)     {}
func (nowhere) Joined(*JoinedRow)   {}
func (nowhere) Wait(*WaitRow)       {}
func (nowhere) Commit(*CommitRow)   {}
func (nowhere) Stack(*StackRow)     {}
func (nowhere) Trace(Candidate)     {}

// BenchmarkRequest is one request through the Assembler: arrival, write with
// an ext4_dirty_inode, wake-up, response, and the finish a second later; the
// events themselves are not counted.
func BenchmarkRequest(b *testing.B) {
	a := New(Options{Clock: &event.Clock{}, Output: nowhere{}, Rows: Rows{Traces: true}})
	var events []event.Event
	for i := range b.N {
		at := t0 + event.Time(i)*ms/4
		base := int64(2 * i)
		events = append(events, aRequest(int32(i), at, 1, uint32(i)),
			&event.DirtyInode{Start: at + 60*us, End: at + 65*us, Thread: aThread(5), Device: 8 << 20, FileSystem: "ext4"},
			aWrite(5, at+50*us, at+80*us, base, uint32(i)),
			&event.Wake{Time: at + 100*us, Thread: aThread(5)}, aResponse(int32(i), at+120*us, base))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, e := range events {
		a.Handle(e)
	}
	b.StopTimer()
	if st := a.Stats(); st.Requests != uint64(b.N) {
		b.Fatalf("%d requests", st.Requests)
	}
}

// BenchmarkBuildTrace makes the spans of one slow request.
func BenchmarkBuildTrace(b *testing.B) {
	var kept Candidate
	a := New(Options{Clock: &event.Clock{}, Output: keeper{&kept}, Rows: Rows{Traces: true}})
	for _, e := range []event.Event{aRequest(1, t0, 1, 11),
		&event.DirtyInode{Start: t0 + 2*ms, End: t0 + 90*ms, Thread: aThread(5), Device: 8 << 20, FileSystem: "ext4"},
		aWrite(5, t0+ms, t0+100*ms, 10, 11), aResponse(1, t0+101*ms, 10)} {
		a.Handle(e)
	}
	a.Close()
	b.ReportAllocs()
	var tr *spans.Trace
	for b.Loop() {
		tr = kept.BuildTrace()
	}
	b.ReportMetric(float64(len(tr.Spans)), "spans")
}

type keeper struct{ c *Candidate }

func (keeper) Request(*RequestRow) {}
func (keeper) Write(*WriteRow)     {}
func (keeper) Joined(*JoinedRow)   {}
func (keeper) Wait(*WaitRow)       {}
func (keeper) Commit(*CommitRow)   {}
func (keeper) Stack(*StackRow)     {}
func (k keeper) Trace(c Candidate) { *k.c = c }
