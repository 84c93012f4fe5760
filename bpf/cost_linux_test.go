package bpf

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// BenchmarkHit measures what a program costs the thread that hits it, by the
// kernel's own count (BPF_ENABLE_STATS), which adds its two looks at the clock:
// ns/op is the whole system call, <program>-ns one run of it. Compare with
// "detached".
func BenchmarkHit(b *testing.B) {
	needRoot(b)
	event, err := unix.Eventfd(0, unix.EFD_NONBLOCK)
	if err != nil {
		b.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	file := int(createSegment(b, dir, "orders-0", segment).Fd())
	index := int(createSegment(b, dir, "orders-0", "00000000000000000000.index").Fd())
	defer func() {
		for _, fd := range []int{event, pair[0], pair[1]} {
			unix.Close(fd)
		}
	}()
	buf := batch(0, 200)
	others := make([]byte, 1<<20) // of the caches' lines, as an application's own work takes them
	segmentWrite := func() error { _, err := unix.Pwrite(file, buf, 0); return err }
	for _, c := range []struct {
		name   string
		traced bool
		f      func() error
	}{
		{"detached", false, nil},
		{"untraced", false, segmentWrite},
		{"segment", true, segmentWrite},
		{"segment-cold", true, func() error {
			for i := 0; i < len(others); i += 64 {
				others[i]++
			}
			return segmentWrite()
		}},
		{"write", true, func() error {
			if _, err := unix.Seek(file, 0, 0); err != nil {
				return err
			}
			_, err := unix.Write(file, buf)
			return err
		}},
		{"index", true, func() error { _, err := unix.Pwrite(index, buf, 0); return err }},
		{"wake", true, func() error {
			// Of a thread that has written since its last one: the dear case.
			if err := segmentWrite(); err != nil {
				return err
			}
			_, err := unix.Write(event, []byte{1, 0, 0, 0, 0, 0, 0, 0})
			return err
		}},
		{"socket", true, func() error {
			if _, err := unix.Writev(pair[0], [][]byte{buf[:8]}); err != nil {
				return err
			}
			_, err := unix.Read(pair[1], make([]byte, 8))
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			if c.f == nil {
				for b.Loop() {
					_ = segmentWrite()
				}
				return
			}
			hit(b, c.traced, c.f)
		})
	}
}

func hit(b *testing.B, traced bool, f func() error) {
	hitWith(b, Options{RingSize: 64 << 20}, traced, f)
}

func hitWith(b *testing.B, o Options, traced bool, f func() error) {
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Skip("no BPF statistics: ", err)
	}
	defer stats.Close()
	p := open(b, o)
	if traced {
		if err := p.Trace(int32(os.Getpid())); err != nil {
			b.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			_, err = p.Read(20*time.Millisecond, func([]byte) {})
		}
		done <- err
	}()
	b.ReportAllocs()
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	err = p.eachProgram(func(name string, _ *ebpf.Program, s *ebpf.ProgramStats) {
		if s.RunCount >= uint64(b.N) {
			b.ReportMetric(float64(s.Runtime)/float64(s.RunCount), name+"-ns")
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	p.Close()
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		b.Error(err)
	}
}

// BenchmarkRead measures the reader alone: records that already lie in the
// ring, in passes of a thousand.
func BenchmarkRead(b *testing.B) {
	p := open(b, Options{})
	needSubject(b, p, SubjectWrite)
	f := createSegment(b, filepath.Join(b.TempDir()), "orders-0", segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		b.Fatal(err)
	}
	buf := batch(0, 61)
	var r Record
	var reading time.Duration
	n := 0
	for b.Loop() {
		for range 1000 {
			if _, err := unix.Pwrite(int(f.Fd()), buf, 0); err != nil {
				b.Fatal(err)
			}
		}
		begun := time.Now()
		_, err := p.Read(0, func(raw []byte) {
			if Decode(raw, &r) == nil {
				n++
			}
		})
		reading += time.Since(begun)
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(reading)/float64(n), "ns/record")
}

// BenchmarkBackend measures what a way of seeing writes costs a thread of a
// traced process: a system call that is none of ours, one that is another
// file's write, a segment's. ns/op is the whole call, without the kernel's count.
func BenchmarkBackend(b *testing.B) {
	needRoot(b)
	dir := b.TempDir()
	file := int(createSegment(b, dir, "orders-0", segment).Fd())
	index := int(createSegment(b, dir, "orders-0", "00000000000000000000.index").Fd())
	buf := batch(0, 200)
	write := func(fd int) func() {
		return func() {
			if _, err := unix.Pwrite(fd, buf, 0); err != nil {
				b.Fatal(err)
			}
		}
	}
	calls := []struct {
		name string
		call func()
	}{{"other", func() { unix.Getppid() }}, {"index", write(index)}, {"segment", write(file)}}
	for _, backend := range []string{"none", Fentry, TpBTF, Tracepoint, Kprobe} {
		b.Run(backend, func(b *testing.B) {
			if backend != "none" {
				p, err := Open(Options{Backends: []string{backend}, NoVectors: true, RingSize: 64 << 20})
				if err != nil {
					b.Skip(err)
				}
				defer p.Close()
				needSubject(b, p, SubjectWrite)
				if err := p.Trace(int32(os.Getpid())); err != nil {
					b.Fatal(err)
				}
				go func() {
					for {
						if _, err := p.Read(20*time.Millisecond, func([]byte) {}); err != nil {
							return
						}
					}
				}()
			}
			for _, c := range calls {
				b.Run(c.name, func(b *testing.B) {
					for b.Loop() {
						c.call()
					}
				})
			}
		})
	}
}
