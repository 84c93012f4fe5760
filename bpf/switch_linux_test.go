package bpf

import (
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// BenchmarkSwitch measures what the scheduler's programs cost every thread of
// the host, by the kernel's own count: two threads hand a byte to and fro on one
// CPU. In "asleep" a traced thread is inside a write all the while.
func BenchmarkSwitch(b *testing.B) {
	needRoot(b)
	for _, backend := range []string{TpBTF, Tracepoint} {
		for _, asleep := range []bool{false, true} {
			name := backend + "/idle"
			if asleep {
				name = backend + "/asleep"
			}
			b.Run(name, func(b *testing.B) { switches(b, backend, asleep) })
		}
	}
	b.Run("detached", func(b *testing.B) { pingPong(b) })
}

func switches(b *testing.B, backend string, asleep bool) {
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Skip("no BPF statistics: ", err)
	}
	defer stats.Close()
	p := open(b, Options{Backends: []string{backend}, see: []string{SubjectWrite, SubjectOffCPU}})
	needSubject(b, p, SubjectOffCPU)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		b.Fatal(err)
	}
	if asleep {
		defer writeFrozen(b)()
	}
	pingPong(b)
	err = p.eachProgram(func(name string, _ *ebpf.Program, s *ebpf.ProgramStats) {
		if s.RunCount >= uint64(b.N) {
			b.ReportMetric(float64(s.Runtime)/float64(s.RunCount), name+"-ns")
		}
	})
	if err != nil {
		b.Fatal(err)
	}
}

// writeFrozen leaves a thread inside a write until its result is called.
func writeFrozen(b *testing.B) (thaw func()) {
	mnt := ext4(b)
	f := createSegment(b, mnt, "orders-0", segment)
	root, err := os.Open(mnt)
	if err != nil {
		b.Fatal(err)
	}
	freeze(b, root, true)
	asleep, done := make(chan int32, 1), make(chan struct{})
	go onThread(func(tid int32) {
		defer close(done)
		asleep <- tid
		if _, err := unix.Write(int(f.Fd()), batch(0, 100)); err != nil {
			b.Error(err)
		}
	})
	for tid := <-asleep; !isAsleep(tid); {
		time.Sleep(time.Millisecond)
	}
	return func() {
		freeze(b, root, false)
		<-done
		root.Close()
	}
}

// pingPong hands a byte to and fro: two switches an operation.
func pingPong(b *testing.B) {
	var to, fro [2]int
	if err := errorsOf(unix.Pipe(to[:]), unix.Pipe(fro[:])); err != nil {
		b.Fatal(err)
	}
	defer func() {
		for _, fd := range append(to[:], fro[:]...) {
			unix.Close(fd)
		}
	}()
	var one unix.CPUSet
	one.Set(0)
	pass := func(from, on int, n int) {
		runtime.LockOSThread() // never unlocked: the thread ends
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			b.Error(err)
		}
		buf := make([]byte, 3) // no wake-up of a selector
		for range n {
			if _, err := unix.Write(on, buf); err != nil {
				b.Error(err)
			}
			if _, err := unix.Read(from, buf); err != nil {
				b.Error(err)
			}
		}
	}
	var both sync.WaitGroup
	b.ResetTimer()
	both.Go(func() { pass(fro[0], to[1], b.N) })
	both.Go(func() { pass(to[0], fro[1], b.N) })
	both.Wait()
	b.StopTimer()
}
