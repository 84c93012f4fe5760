package bpf

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// needRoot skips where no program can be loaded.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to load programs")
	}
}

func open(t testing.TB, o Options) *Probes {
	t.Helper()
	needRoot(t)
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// eachBackend runs a test with the best way to each subject, and once for each
// backend that all the named subjects have here, and says which they are. No
// other subjects are attached.
func eachBackend(t *testing.T, f func(*testing.T, Options), subjects ...string) {
	needRoot(t)
	for _, backend := range []string{"best", Fentry, TpBTF, Tracepoint, Kprobe} {
		t.Run(backend, func(t *testing.T) {
			o := Options{Backends: []string{backend}, see: subjects}
			if backend == "best" {
				o.Backends = nil
			}
			lacks, err := lacks[backend]()
			if err != nil {
				t.Skip(err)
			}
			for _, name := range subjects {
				if err := lacks[name]; errors.Is(err, ErrNotHere) {
					t.Skipf("%s: %v", name, err)
				} else if err != nil {
					t.Fatalf("%s is broken: %v", name, err)
				}
			}
			f(t, o)
		})
	}
}

// lacks holds for each backend what says of each subject why it does not have it
// here; it is tried once.
var lacks = map[string]func() (map[string]error, error){
	"best": lacking(nil), Fentry: lacking([]string{Fentry}), TpBTF: lacking([]string{TpBTF}),
	Tracepoint: lacking([]string{Tracepoint}), Kprobe: lacking([]string{Kprobe}),
}

func lacking(backends []string) func() (map[string]error, error) {
	return sync.OnceValues(func() (map[string]error, error) {
		p, err := Open(Options{Backends: backends})
		if err != nil {
			return nil, err
		}
		lacks := map[string]error{}
		for _, s := range p.Status() {
			if !s.Attached && !PerProcess(s.Name) {
				lacks[s.Name] = s.Err
			}
		}
		return lacks, p.Close()
	})
}

// eachRead is eachBackend, each in the newer and in the older way of reading the
// kernel's memory.
func eachRead(t *testing.T, f func(*testing.T, Options), subjects ...string) {
	eachBackend(t, func(t *testing.T, o Options) {
		for name, old := range map[string]bool{"direct": false, "old": true} {
			t.Run(name, func(t *testing.T) {
				o.old = old
				f(t, o)
			})
		}
	}, subjects...)
}

func needSubject(t testing.TB, p *Probes, name string) {
	t.Helper()
	for _, s := range p.Status() {
		if s.Name != name {
			continue
		}
		if !s.Attached {
			t.Skipf("%s: %v", name, s.Err)
		}
		return
	}
	t.Fatalf("no subject %s", name)
}

func backendOf(p *Probes, name string) string {
	for _, s := range p.Status() {
		if s.Name == name {
			return s.Backend
		}
	}
	return ""
}

func attached(p *Probes, name string) bool {
	return slices.ContainsFunc(p.Status(), func(s Subject) bool { return s.Name == name && s.Attached })
}

// ext4 mounts a fresh ext4 with a journal on a loop device.
func ext4(t testing.TB) string {
	t.Helper()
	return mount(t, 32, "", "mkfs.ext4", "-q", "-F", "-O", "has_journal").dir
}

// memory is a directory that no disk is behind, if there is one.
func memory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// seen is a decoded record with bytes of its own.
type seen struct {
	Record
	raw []byte
}

// drain reads until the watermark has passed the moment of the call.
func drain(t testing.TB, p *Probes) []seen {
	t.Helper()
	var all []seen
	for until := monotonic(); ; {
		mark, err := p.Read(5*time.Millisecond, func(raw []byte) {
			s := seen{raw: bytes.Clone(raw)}
			if err := Decode(s.raw, &s.Record); err != nil {
				t.Fatalf("%v: % x", err, raw)
			}
			all = append(all, s)
		})
		if err != nil {
			t.Fatal(err)
		}
		if mark > until {
			return all
		}
	}
}

func only(all []seen, k Kind) []seen {
	var out []seen
	for _, s := range all {
		if s.Kind == k {
			out = append(out, s)
		}
	}
	return out
}

// onThread runs f on a thread of its own, so that it has one tid.
func onThread(f func(tid int32)) {
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread ends with f
		f(int32(unix.Gettid()))
	})
	wg.Wait()
}

const segment = "00000000000000000000.log"

func createSegment(t testing.TB, dir, partition, name string) *os.File {
	t.Helper()
	sub := filepath.Join(dir, partition)
	if err := os.MkdirAll(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(sub, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// batch is a buffer that begins like a record batch.
func batch(seed byte, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = seed + byte(i)
	}
	if size > 16 {
		b[16] = 2
	}
	return b
}

func check[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func comm(t testing.TB) string {
	b, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
