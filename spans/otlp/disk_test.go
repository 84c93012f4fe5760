package otlp

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tailspan/tailspan/spans"
)

// give exports the traces from one number up to another, each when there is
// room for it.
func give(t *testing.T, e *Exporter, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		eventually(t, "room", func() bool {
			s := e.Stats()
			return int(s.Queued.Spans-s.Disk.Queued.Spans)+5 <= e.queue.limit
		})
		if !e.Export(fiveSpans(i)) {
			t.Fatal("not accepted")
		}
	}
}

// onlyOnce checks that exactly the traces of these numbers arrived, each whole
// and once.
func onlyOnce(t *testing.T, got map[string]int, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		id := fiveSpans(i).ID
		if n := got[string(id[:])]; n != 5 {
			t.Errorf("trace %d: %d spans arrived", i, n)
		}
	}
	if len(got) != to-from {
		t.Errorf("%d traces arrived, not %d", len(got), to-from)
	}
}

// order of the arrival of traces.
func (c *collector) order() (ids []spans.TraceID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range c.got {
		for _, s := range rs.ScopeSpans[0].Spans {
			if s.ParentSpanId == nil {
				ids = append(ids, spans.TraceID(s.TraceId))
			}
		}
	}
	return ids
}

func files(t *testing.T, dir string) (names []string, bytes int64) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		if st, err := os.Stat(p); err == nil {
			bytes += st.Size()
		}
	}
	return paths, bytes
}

// What memory cannot hold waits on disk, and everything is sent in the order
// in which it came.
func TestSpill(t *testing.T) {
	addr, dir := freePort(t), t.TempDir()
	e, log := connect(t, addr, Options{QueueSpans: 3000, Dir: dir})
	give(t, e, 0, 3000)
	s := e.Stats()
	balanced(t, s)
	if _, bytes := files(t, dir); s.Queued.Traces != 3000 || s.Disk.Queued.Traces < 2400 || s.Disk.Bytes != bytes || bytes == 0 {
		t.Errorf("%d bytes in files, %+v", bytes, s)
	}
	c := listen(t, addr)
	eventually(t, "all exported", func() bool { return e.Stats().Queued == Count{} })
	s = e.Stats()
	balanced(t, s)
	onlyOnce(t, c.traces(), 0, 3000)
	for i, id := range c.order() {
		if id != fiveSpans(i).ID {
			t.Fatalf("trace %d is out of order", i)
		}
	}
	if names, _ := files(t, dir); s.Disk.Bytes != 0 || len(names) != 0 || s.Disk.Errors != 0 {
		t.Errorf("left on disk: %v, %+v", names, s)
	}
	if log.lines("level=") != 2 {
		t.Errorf("away and back were expected:\n%s", log)
	}
}

// What is not delivered at the end is the next process's.
func TestNextProcess(t *testing.T) {
	addr, dir := freePort(t), t.TempDir()
	e, log := connect(t, addr, Options{QueueSpans: 1000, Dir: dir})
	give(t, e, 0, 500)
	if err := flush(e, time.Second); err != nil {
		t.Fatal(err)
	}
	s := e.Stats()
	balanced(t, s)
	if s.Queued != (Count{Traces: 500, Spans: 2500}) || s.Disk.Queued != s.Queued || log.lines("left in the queue directory") != 1 {
		t.Errorf("%+v\n%s", s, log)
	}
	c := listen(t, addr)
	e, log = connect(t, addr, Options{Dir: dir})
	if s := e.Stats(); s.Restored != (Count{Traces: 500, Spans: 2500}) || log.lines("of an earlier run") != 1 {
		t.Errorf("%+v\n%s", s, log)
	}
	give(t, e, 500, 600)
	if err := flush(e, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	onlyOnce(t, c.traces(), 0, 600)
	s = e.Stats()
	balanced(t, s)
	if s.Exported != (Count{Traces: 600, Spans: 3000}) || s.Queued != (Count{}) {
		t.Errorf("%+v", s)
	}
}

// A process that ends in the middle of a segment has noted how far it came.
func TestNextProcessGoesOn(t *testing.T) {
	c, dir := listen(t, "127.0.0.1:0"), t.TempDir()
	c.answers(fails(codes.Unavailable))
	e, _ := connect(t, c.addr, Options{QueueSpans: 1000, Dir: dir})
	give(t, e, 0, 1000)
	flush(e, time.Second)
	left := 3
	c.answers(func(context.Context, *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
		if left--; left < 0 {
			return nil, status.Error(codes.Unavailable, "enough")
		}
		return &collectorpb.ExportTraceServiceResponse{}, nil
	})
	e, _ = connect(t, c.addr, Options{Dir: dir})
	eventually(t, "a failure after three batches", func() bool { return e.Stats().Failures > 0 })
	flush(e, time.Second)
	s := e.Stats()
	balanced(t, s)
	if s.Batches != 3 || s.Restored.Traces != 1000 || s.Queued.Traces != 1000-s.Exported.Traces {
		t.Errorf("%+v", s)
	}
	c.answers(accept)
	last, _ := connect(t, c.addr, Options{Dir: dir})
	if err := flush(last, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	onlyOnce(t, c.traces(), 0, 1000)
	if got := last.Stats().Restored; got != s.Queued {
		t.Errorf("restored %v, not %v", got, s.Queued)
	}
}

func TestDirectoryIsOfOneProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "queue")
	addr := freePort(t)
	e, _ := connect(t, addr, Options{Dir: dir})
	if _, err := New(t.Context(), Options{Dir: dir}); !errors.Is(err, ErrDirInUse) || !strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
	give(t, e, 0, 1)
	flush(e, time.Second)
	connect(t, addr, Options{Dir: dir})
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v", path, st.Mode())
		}
		return err
	})
	if names, _ := files(t, dir); err != nil || len(names) != 1 {
		t.Error(err, names)
	}
}

func TestDirectoryIsBounded(t *testing.T) {
	const limit = 400_000
	addr, dir := freePort(t), t.TempDir()
	e, log := connect(t, addr, Options{QueueSpans: 500, Dir: dir, DirBytes: limit})
	eventually(t, "both full", func() bool {
		for i := range 100 {
			e.Export(fiveSpans(i))
		}
		_, bytes := files(t, dir)
		if bytes > limit {
			t.Fatalf("%d bytes", bytes)
		}
		return e.Stats().QueueFull.Traces > 1000 && log.lines("export queue is full") == 1 && log.lines("queue directory is full") == 1
	})
	s := e.Stats()
	balanced(t, s)
	if s.Disk.Bytes < limit*9/10 || s.Disk.Errors != 0 {
		t.Errorf("%+v\n%s", s, log)
	}
	listen(t, addr)
	eventually(t, "all exported", func() bool { return e.Stats().Queued == Count{} })
	eventually(t, "said", func() bool {
		for i := range 60 { // so that it is tried again
			e.Export(fiveSpans(i))
		}
		return log.lines("takes traces again") == 1
	})
	balanced(t, e.Stats())
}

// A disk that is full costs no more than one that is not there.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tailspan", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skip("a small file system cannot be mounted: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	addr := freePort(t)
	e, log := connect(t, addr, Options{QueueSpans: 2000, Dir: dir})
	for i := range 1000 {
		e.Export(fiveSpans(i))
		if i%100 == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	eventually(t, "an error", func() bool { return e.Stats().Disk.Errors > 0 })
	s := e.Stats()
	balanced(t, s)
	if s.QueueFull.Traces == 0 || !strings.Contains(s.Disk.LastError, "no space left") || log.lines("cannot be written to") != 1 {
		t.Errorf("%+v\n%s", s, log)
	}
	c := listen(t, addr)
	eventually(t, "all exported", func() bool { return e.Stats().Queued == Count{} })
	s = e.Stats()
	balanced(t, s)
	if got := c.traces(); uint64(len(got)) != s.Exported.Traces || s.Disk.Spilled.Traces == 0 {
		t.Errorf("%d arrived, %+v", len(got), s)
	}
}

// A directory that is deleted takes with it what was in it, which is counted.
func TestDirectoryDeleted(t *testing.T) {
	addr, dir := freePort(t), filepath.Join(t.TempDir(), "queue")
	e, _ := connect(t, addr, Options{QueueSpans: 1000, Dir: dir, DirBytes: 1 << 20})
	give(t, e, 0, 600)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	c := listen(t, addr)
	eventually(t, "nothing left", func() bool { return e.Stats().Queued == Count{} })
	for i := range 1000 {
		e.Export(fiveSpans(600 + i))
	}
	if err := flush(e, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	s := e.Stats()
	balanced(t, s)
	if s.Unreadable.Traces == 0 || s.Unreadable.Traces > 600 || uint64(len(c.traces())) != s.Exported.Traces {
		t.Errorf("%d arrived, %+v", len(c.traces()), s)
	}
}

// A disk that hangs (its lock is held) holds up neither Export nor, for long,
// the end.
func TestDiskHangs(t *testing.T) {
	c, dir := listen(t, "127.0.0.1:0"), t.TempDir()
	e, log := connect(t, c.addr, Options{QueueSpans: 1000, Dir: dir})
	e.disk.mu.Lock()
	start := time.Now()
	for i := range 1000 {
		e.Export(fiveSpans(i))
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("Export blocked: %s", d)
	}
	start = time.Now()
	if err := flush(e, 100*time.Millisecond); !errors.Is(err, ErrUndelivered) {
		t.Error(err)
	}
	if d := time.Since(start); d > 100*time.Millisecond+diskGrace+time.Second {
		t.Errorf("the end took %s", d)
	}
	if log.lines("hangs") != 1 {
		t.Errorf("not said:\n%s", log)
	}
	s := e.Stats()
	balanced(t, s)
	e.disk.mu.Unlock()
	wait(t.Context(), e.spiller.done, nil, time.After(10*time.Second))
	if later := e.Stats(); later.Undelivered != s.Undelivered || later.Queued != (Count{}) {
		t.Errorf("%+v, before %+v", later, s)
	}
	balanced(t, e.Stats())
}
