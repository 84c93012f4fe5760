package bpf

import (
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSample(t *testing.T) {
	const rate = 99
	p := open(t, Options{SampleRate: rate})
	needSubject(t, p, SubjectWrite)
	needSubject(t, p, SubjectSample)
	f := createSegment(t, memory(t), "orders-0", segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	b := batch(0, 1<<20)
	var in, id int64
	onThread(func(tid int32) {
		id = int64(tid)
		for in < int64(1500*time.Millisecond) {
			before := threadCPU()
			if _, err := unix.Pwrite(int(f.Fd()), b, 0); err != nil {
				t.Error(err)
			}
			in += threadCPU() - before
		}
	})
	all := drain(t, p)
	samples := only(all, KindSample)
	var inside int64
	writes, stays := only(all, KindWrite), only(all, KindOffCPU)
	for i := range writes {
		inside += split(t, &writes[i], stays).on
	}
	want := int(inside * rate / int64(time.Second))
	t.Logf("%d samples of %d ns, by the thread's own clock %d", len(samples), inside, in)
	least := want * 7 / 10
	if emulated(t) { // its CPUs run by turns, and their clocks stand still with them
		least = want / 5
	}
	if len(samples) < least || len(samples) > want*13/10 {
		t.Errorf("%d samples, want about %d", len(samples), want)
	}
	writing := 0
	for _, s := range samples {
		check(t, "tid", int64(s.TID), id)
		if hasFunction(functions(t, s.Sample.Stack), "vfs_write") {
			writing++
		}
	}
	// The rest are the ends of the system call.
	if writing < len(samples)*8/10 {
		t.Errorf("%d of %d samples are of a write", writing, len(samples))
	}
	if len(samples) > 0 {
		t.Log(fmt.Sprint(functions(t, samples[0].Sample.Stack)))
	}
}
