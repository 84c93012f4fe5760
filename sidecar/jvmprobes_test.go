package sidecar

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
)

// eachJVM runs a test with a JVM of each JDK of this machine, and below LAB_JDKS,
// that waits to run testdata/Rivals.java; its flag is on.
func eachJVM(t *testing.T, f func(*testing.T, *rivals)) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to load programs")
	}
	dir := t.TempDir()
	if out, err := exec.Command("javac", "--release", "11", "-d", dir, "testdata/Rivals.java").CombinedOutput(); err != nil {
		t.Skipf("no javac: %v: %s", err, out)
	}
	var found []string
	for _, home := range []string{"/usr/lib/jvm", os.Getenv("LAB_JDKS")} {
		libs, _ := filepath.Glob(filepath.Join(home, "*/lib/server/libjvm.so"))
		for _, lib := range libs {
			if real, err := filepath.EvalSymlinks(lib); home != "" && err == nil && real == lib {
				found = append(found, lib)
			}
		}
	}
	if len(found) == 0 {
		t.Skip("no JDK below /usr/lib/jvm or LAB_JDKS")
	}
	for _, lib := range found {
		home := filepath.Dir(filepath.Dir(filepath.Dir(lib)))
		t.Run(filepath.Base(home), func(t *testing.T) { f(t, startRivals(t, home, dir)) })
	}
}

// rivals is a running Rivals, and what was seen of it.
type rivals struct {
	pid    int32
	libjvm string
	in     io.Writer
	out    *bufio.Scanner
	probes *bpf.Probes
	seen   []bpf.Record
}

func startRivals(t *testing.T, home, classes string) *rivals {
	t.Helper()
	cmd := exec.Command(filepath.Join(home, "bin/java"), "-Xmx64m", "-XX:+UseSerialGC", "-XX:+DTraceMonitorProbes", "-cp", classes, "Rivals")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	r := &rivals{pid: int32(cmd.Process.Pid), libjvm: filepath.Join(home, "lib/server/libjvm.so"), in: in, out: bufio.NewScanner(out)}
	r.says(t, "ready")
	var err error
	// Of the host's subjects none is of interest.
	if r.probes, err = bpf.Open(bpf.Options{Backends: []string{"none"}, RingSize: 16 << 20}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.probes.Close() })
	return r
}

func (r *rivals) says(t *testing.T, word string) string {
	t.Helper()
	if !r.out.Scan() || !strings.HasPrefix(r.out.Text(), word) {
		t.Fatalf("it says %q, %v", r.out.Text(), r.out.Err())
	}
	return r.out.Text()
}

func (r *rivals) attach(t *testing.T, sites []jvm.Probe, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.probes.AttachSites(r.pid, r.libjvm, usdt(sites))
	if errors.Is(err, bpf.ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
}

// run lets them loose, and gathers what the probes tell until they are done.
func (r *rivals) run(t *testing.T) (said string) {
	t.Helper()
	if _, err := io.WriteString(r.in, "\n"); err != nil {
		t.Fatal(err)
	}
	said = r.says(t, "started")
	for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); {
		if _, err := r.probes.Read(20*time.Millisecond, r.keep(t)); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := r.probes.Stats()
	if err != nil || stats.Lost != [len(stats.Lost)]uint64{} || stats.Missed != 0 {
		t.Errorf("lost %+v, %v", stats, err)
	}
	return said
}

func (r *rivals) keep(t *testing.T) func([]byte) {
	return func(raw []byte) {
		var rec bpf.Record
		if err := bpf.Decode(slices.Clone(raw), &rec); err != nil || rec.TGID != r.pid {
			t.Errorf("%v: of %d: % x", err, rec.TGID, raw)
		}
		r.seen = append(r.seen, rec)
	}
}

// TestLife: every thread's start is seen, by its whole name and in the thread itself;
// a GC is, within an operation; and a thread dump is one.
func TestLife(t *testing.T) {
	eachJVM(t, func(t *testing.T, r *rivals) {
		sites, err := jvm.LifeSites(r.libjvm)
		r.attach(t, sites, err)
		ids := strings.Fields(r.run(t))[1:]
		threads := map[string]string{}
		operations := map[string][]bpf.Record{}
		var gcs []bpf.Record
		for _, rec := range r.seen {
			switch rec.Kind {
			case bpf.KindThreadStart:
				threads[string(rec.ThreadStart.Name)] = fmt.Sprint(rec.ThreadStart.JavaThread)
			case bpf.KindVMOperation:
				operations[string(rec.VM.Name)] = append(operations[string(rec.VM.Name)], rec)
			case bpf.KindGC:
				gcs = append(gcs, rec)
			}
		}
		for i, id := range ids {
			if name := fmt.Sprintf("data-plane-kafka-request-handler-%d", i); threads[name] != id {
				t.Errorf("thread %s is %q, want %s", name, threads[name], id)
			}
		}
		t.Logf("%d threads, %d GCs, operations:", len(threads), len(gcs))
		for name, all := range operations {
			var sum time.Duration
			for _, rec := range all {
				sum += time.Duration(rec.Time - rec.VM.Start)
			}
			t.Logf("  %d × %s, %v in all, concurrent %v", len(all), name, sum, all[0].VM.Concurrent)
		}
		if len(operations["ThreadDump"]) != 1 {
			t.Errorf("%d thread dumps", len(operations["ThreadDump"]))
		}
		full := 0
		for _, gc := range gcs {
			if gc.VM.Full {
				full++
			}
			if !slices.ContainsFunc(r.seen, func(o bpf.Record) bool {
				return o.Kind == bpf.KindVMOperation && o.TID == gc.TID && o.VM.Start <= gc.VM.Start && gc.Time <= o.Time && !o.VM.Concurrent
			}) {
				t.Errorf("a GC outside of an operation: %+v", gc)
			}
		}
		if full == 0 {
			t.Errorf("no full GC among %d", len(gcs))
		}
	})
}

// seenWait is a wait as one of the two ways saw it.
type seenWait struct {
	monitor    uint64
	start, end int64
	holder     int32 // who released the monitor last before the end; 0: nobody seen
}

// waits pairs the records of one way, by thread, and gives each wait its holder.
func (r *rivals) waits(function bool) (byThread map[int32][]seenWait, exits map[uint64][]bpf.Record, open int) {
	byThread, exits = map[int32][]seenWait{}, map[uint64][]bpf.Record{}
	waiting := map[int32]seenWait{}
	all := slices.Clone(r.seen)
	slices.SortStableFunc(all, func(a, b bpf.Record) int { return cmp.Compare(a.Time, b.Time) })
	for _, rec := range all {
		if rec.Monitor.Function != function {
			continue
		}
		m := rec.Monitor.Address
		switch rec.Kind {
		case bpf.KindMonitorEnter:
			waiting[rec.TID] = seenWait{monitor: m, start: rec.Time}
		case bpf.KindMonitorExit:
			exits[m] = append(exits[m], rec)
		case bpf.KindMonitorEntered:
			w, ok := waiting[rec.TID]
			if !ok || w.monitor != m {
				open++
				continue
			}
			delete(waiting, rec.TID)
			w.end = rec.Time
			for _, x := range exits[m] {
				if x.Time > w.start && x.TID != rec.TID {
					w.holder = x.TID
				}
			}
			byThread[rec.TID] = append(byThread[rec.TID], w)
		}
	}
	return byThread, exits, open + len(waiting)
}

// TestFunctions has the same waits seen by HotSpot's probes and by its functions:
// they are the same ones, each a little shorter by function, and the same releases.
func TestFunctions(t *testing.T) {
	eachJVM(t, func(t *testing.T, r *rivals) {
		sites, err := jvm.MonitorSites(r.libjvm)
		r.attach(t, sites, err)
		sites, err = jvm.MonitorFunctions(r.libjvm)
		r.attach(t, sites, err)
		r.run(t)
		probes, left, open := r.waits(false)
		functions, freed, dangling := r.waits(true)
		if open != 0 || dangling != 0 {
			t.Errorf("%d waits without an end by probes, %d by functions", open, dangling)
		}
		var starts, ends, longer []float64
		n, others, nobody := 0, 0, 0
		for tid, all := range probes {
			if len(functions[tid]) != len(all) {
				t.Errorf("thread %d: %d waits by probes, %d by functions", tid, len(all), len(functions[tid]))
				continue
			}
			for i, p := range all {
				f := functions[tid][i]
				if f.monitor != p.monitor || f.start < p.start || f.end > p.end {
					t.Errorf("thread %d, wait %d: %+v by probes, %+v by functions", tid, i, p, f)
				}
				n++
				starts, ends = append(starts, float64(f.start-p.start)), append(ends, float64(p.end-f.end))
				longer = append(longer, float64((p.end-p.start)-(f.end-f.start)))
				switch {
				case p.holder == 0 || f.holder == 0:
					nobody++
				case p.holder != f.holder:
					others++
				}
			}
		}
		if len(functions) != len(probes) || n < 200 {
			t.Errorf("%d waits of %d threads by probes, of %d by functions", n, len(probes), len(functions))
		}
		for m, all := range left {
			if len(freed[m]) != len(all) {
				t.Errorf("monitor %#x: %d releases by probes, %d by functions", m, len(all), len(freed[m]))
			}
		}
		t.Logf("%d waits by both ways; by function they begin %.1f µs later (median, 99%%: %.1f), end %.1f µs earlier (99%%: %.1f), are %.1f µs shorter; the last holder is another in %d, is unknown to one way in %d",
			n, quantile(starts, .5)/1e3, quantile(starts, .99)/1e3, quantile(ends, .5)/1e3, quantile(ends, .99)/1e3, quantile(longer, .5)/1e3, others, nobody)
		if quantile(longer, .5) > 20e3 || others > n/50 {
			t.Error("the two ways disagree")
		}
	})
}

// TestFunctionsComeAndGo takes the probes off functions and puts them on again while
// threads pass through them: the JVM does not notice, and no wait is torn.
func TestFunctionsComeAndGo(t *testing.T) {
	eachJVM(t, func(t *testing.T, r *rivals) {
		sites, err := jvm.MonitorFunctions(r.libjvm)
		if err != nil {
			t.Fatal(err)
		}
		done, times := make(chan error, 1), 0
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				c, err := r.probes.AttachSites(r.pid, r.libjvm, usdt(sites))
				if err == nil {
					time.Sleep(5 * time.Millisecond)
					err = c.Close()
				}
				if err != nil {
					done <- err
					return
				}
				times++
			}
		}()
		r.run(t)
		close(stop)
		if err := <-done; errors.Is(err, bpf.ErrNotHere) {
			t.Skip(err)
		} else if err != nil {
			t.Fatal(err)
		}
		byThread, _, _ := r.waits(true)
		n := 0
		for _, all := range byThread {
			n += len(all)
			for _, w := range all {
				if w.end < w.start {
					t.Errorf("%+v", w)
				}
			}
		}
		t.Logf("%d waits seen in %d times", n, times)
		if n == 0 || times < 2 {
			t.Error("too little to tell")
		}
	})
}

func quantile(all []float64, q float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return all[int(q*float64(len(all)-1))]
}
