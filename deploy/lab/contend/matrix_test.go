package contend

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/jfr"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

// queue is the scene in which threads barge in on each other: where a woken one
// lacks a CPU, others come and go without a probe, as many as the load of the
// machine has it. So of its holders it is told how many are right, no more.
const queue = "queue"

// scenes are what each JDK is put through.
var scenes = []struct {
	name  string
	o     Options
	waits int64 // how many make it long enough
}{
	{"even", Options{Mode: Even, Threads: 4, Rate: 1000, Kept: 20_000}, 1000},
	{queue, Options{Mode: Even, Threads: 8, Locks: 2, Rate: 1000, Kept: 20_000}, 1000},
	{"slow", Options{Mode: Slow, Threads: 9, Hold: 20 * time.Millisecond, Quick: 100 * time.Microsecond, Kept: 5_000}, 500},
	{"chain", Options{Mode: Chain, Threads: 4, Hold: 10 * time.Millisecond, Kept: 5_000}, 200},
}

// TestJDKs: on the oldest JDK and the newest, and on each with -update, one by one, Tailspan's waits are those of the JVM's own
// recording of the same run, and their holders those that the threads wrote down:
// with the probes' flag on, and without it by libjvm's functions.
func TestJDKs(t *testing.T) {
	trial.NeedRoot(t)
	bin := trial.Begin(t).Bin
	all, err := jdk.All(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if !*update {
		all = []jdk.JDK{all[0], all[len(all)-1]}
	}
	var results []result
	for _, j := range all {
		for _, flag := range []bool{true, false} {
			t.Run(testName(j, flag), func(t *testing.T) {
				runs := try(t, bin, j, flag)
				for _, r := range runs {
					t.Run(r.name, r.check)
				}
				results = append(results, summed(j, flag, runs))
			})
		}
	}
	publish(t, results)
}

func testName(j jdk.JDK, flag bool) string {
	name := strings.ReplaceAll(j.String(), " ", "-")
	if !flag {
		name += "-functions"
	}
	return name
}

// run is one scene on one JDK, with what everybody says of it.
type run struct {
	name  string
	mode  Mode
	flag  bool // by USDT; else the classes are not known
	log   *Log
	boot  int64 // what Unix time is ahead of the log's
	ours  []assemble.WaitRow
	jvm   []jfr.Wait
	waits joined
}

// try puts one JVM through all scenes.
func try(t *testing.T, bin string, j jdk.JDK, flag bool) (runs []*run) {
	dir := trial.Output(t)
	recorded := filepath.Join(dir, "waits.jfr")
	options, err := jfr.Options(recorded, jfr.ExactClock...)
	if err != nil {
		t.Fatal(err)
	}
	if flag {
		options = append(options, kafka.MonitorProbes)
	}
	p := launched(t, j, dir, options...)
	ts, file := record(t, bin, dir, p.PID())
	if out, _ := ts.Output(); j.Origin != jdk.Wheel && strings.Contains(out, "nor by its functions") {
		t.Skipf("%s has no symbols", j.LibJVM())
	}
	var windows []window
	for _, s := range scenes {
		r := &run{name: s.name, mode: s.o.Mode, flag: flag, boot: sinceBoot(t)}
		w := window{from: time.Now().UnixNano()}
		if err := p.Run(s.o); err != nil {
			t.Fatal(err)
		}
		until(t, p, s.waits)
		if r.log, _, err = p.EndLogged(); err != nil {
			t.Fatal(err)
		}
		w.to = time.Now().UnixNano()
		runs, windows = append(runs, r), append(windows, w)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
	rows := waits(t, bin, dir, file)
	theirs, err := jfr.Waits(t.Context(), recorded)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range runs {
		r.sort(windows[i], rows, theirs)
	}
	return runs
}

// waitsWithin is what a scene may take where much else is running.
const waitsWithin = time.Minute

// until waits for the program's threads to have waited often enough.
func until(t *testing.T, p *Program, blocked int64) {
	t.Helper()
	for end := time.Now().Add(waitsWithin); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c, err := p.Count()
		if err != nil {
			t.Fatal(err)
		}
		if c.Blocked >= blocked {
			return
		}
	}
	t.Fatalf("fewer than %d waits within %v", blocked, waitsWithin)
}

// sort takes what the program's threads waited for during the run, whatever that
// was: now and then the JVM's own monitors, too.
func (r *run) sort(w window, ours []assemble.WaitRow, theirs []jfr.Wait) {
	own := map[int32]bool{}
	for _, t := range r.log.Threads {
		own[t.TID] = true
	}
	for _, x := range ours {
		if w.has(x.Start) && own[x.TID] {
			r.ours = append(r.ours, x)
		}
	}
	for _, x := range theirs {
		if w.has(x.Start.UnixNano()) && own[x.Thread.TID] {
			r.jvm = append(r.jvm, x)
		}
	}
}

const (
	mostOff     = 20 * time.Microsecond // the median difference of a wait
	mostMissing = 0.001                 // waits that only one of both saw
	mostOthers  = 0.01                  // waits for other monitors: the JVM's own, as when it loads a class
	leastNamed  = 0.99                  // of the waits
	mostBefore  = 0.005                 // waits of which the program's log says that nobody was in the way
)

// compare holds the waits against the JVM's, one by one.
func (r *run) compare(t *testing.T) {
	n := len(r.jvm)
	if n < 50 {
		t.Fatalf("the JVM recorded %d waits", n)
	}
	r.waits = join(r.ours, r.jvm)
	t.Logf("%d waits, %d of the JVM's recording; %d paired, they differ by %v (median), its wall clock is %v ahead",
		len(r.ours), n, len(r.waits.pairs), r.waits.medianOff(), r.waits.shift)
	for _, w := range r.waits.ours {
		t.Logf("only Tailspan has %+v", w)
	}
	for _, w := range r.waits.theirs {
		t.Logf("only the JVM's recording has %+v", w)
	}
	if alone := max(len(r.waits.ours), len(r.waits.theirs)); float64(alone) > mostMissing*float64(n) {
		t.Errorf("%d and %d waits were seen by one only", len(r.waits.ours), len(r.waits.theirs))
	}
	if off := r.waits.medianOff(); off >= mostOff {
		t.Errorf("median difference %v, want less than %v", off, mostOff)
	}
}

func (r *run) check(t *testing.T) {
	r.compare(t)
	for _, p := range r.waits.pairs {
		if r.flag && p.ours.Class != p.theirs.Class {
			t.Errorf("class %q of %+v", p.ours.Class, p.theirs)
		}
	}
	n := len(r.locks())
	if more := r.log.Blocked() - int64(n); more < 0 || float64(more) > mostOthers*float64(n) {
		t.Errorf("%d waits for its locks, by the JVM's count %+d", n, more)
	}
	d := r.last()
	for _, line := range d.lines {
		t.Log(line)
	}
	if d.unexplained > 0 || float64(d.before) > mostBefore*float64(n) {
		t.Errorf("%d last holders are neither the JVM's nor the program's; %d were gone before the wait, by the program's log", d.unexplained, d.before)
	}
	v := r.named()
	for _, line := range v.wrong {
		t.Log(line)
	}
	t.Logf("last holder: %d agree, %d do not, %d waits without an exit; holder: %d of %d; the slow one: %d of %d",
		d.agree, len(d.lines), d.none, v.right, v.of, v.slow, v.ofSlow)
	if v.of < n*9/10 || r.name != queue && float64(v.right) < leastNamed*float64(v.of) {
		t.Errorf("the holder is named in %d of %d waits", v.right, v.of)
	}
	if r.mode == Slow && (v.ofSlow < v.of/2 || float64(v.slow) < leastNamed*float64(v.ofSlow)) {
		t.Errorf("the slow holder is named in %d of the %d waits that it made long", v.slow, v.ofSlow)
	}
}
