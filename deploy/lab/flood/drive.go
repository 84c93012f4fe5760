package flood

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

// Run is one run of the binary on a flood.
type Run struct {
	Bin, Log string
	Script   Script
	Paced    bool     // by the clock; else as fast as the pipe takes it
	Export   bool     // to a Sink; else nothing is exported
	Metrics  bool     // it is asked for its metrics, once a second and at the end
	Flags    []string // more of replay's
}

// Result is what came of it.
type Result struct {
	Truth    *Truth
	Bytes    uint64
	Flood    time.Duration // how long it was by its own time
	Took     time.Duration // until the flood was written
	CPU      time.Duration // Tailspan's
	Ours     time.Duration // the generator's and the sink's
	Peak     int64         // Tailspan's resident memory, bytes
	Behind   time.Duration // the most that a paced flood was late
	Arrived  Arrived
	Accounts []Account        // of all scrapes
	Metrics  Metrics          // the last one
	Final    tailspan.Account // as Tailspan's log has it
}

// endsWithin is what Tailspan may take for what is left when the flood is over.
const endsWithin = 30 * time.Second

// Drive runs it.
func Drive(ctx context.Context, o Run) (r *Result, err error) {
	before := processTime()
	d := &drive{Run: o, result: &Result{Flood: o.Script.For}}
	if o.Export {
		if d.sink, err = Listen(); err != nil {
			return nil, err
		}
	}
	err = d.run(ctx)
	if d.sink != nil {
		d.result.Arrived = d.sink.Close()
	}
	d.result.Ours = processTime() - before
	return d.result, err
}

type drive struct {
	Run
	result *Result
	sink   *Sink
	listen string
	cmd    *exec.Cmd
	child  *child.Process
	out    *os.File // the flood
}

func (d *drive) run(ctx context.Context) error {
	if err := d.start(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		d.watch(ctx)
	}()
	err := d.flood(ctx)
	if err == nil && d.Run.Metrics {
		err = d.settle(ctx)
	}
	d.out.Close()
	if e := d.end(); err == nil {
		err = e
	}
	cancel()
	<-watched
	return err
}

// pipeSize is what the kernel may keep of the flood between the two.
const pipeSize = 1 << 20

func (d *drive) start() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	d.out = w
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, pipeSize); err != nil {
		return fmt.Errorf("size of the pipe: %w", err)
	}
	env, flags := []string{"OTEL_TRACES_EXPORTER=none"}, []string{"replay"}
	if d.sink != nil {
		env = d.sink.Env()
	}
	if d.Run.Metrics {
		if d.listen, err = child.FreeAddress(); err != nil {
			return err
		}
		flags = append(flags, "--listen", d.listen)
	}
	d.cmd = exec.Command(d.Bin, append(append(flags, d.Flags...), "/dev/stdin")...)
	d.cmd.Env, d.cmd.Stdin = append(os.Environ(), env...), r
	d.child, err = child.Start("tailspan", d.Log, d.cmd)
	return err
}

// flood writes it.
func (d *drive) flood(ctx context.Context) error {
	g, err := New(d.Script, d.out)
	if err != nil {
		return err
	}
	p := &pace{}
	if d.Paced {
		g.Pace = p.wait
	}
	begin := time.Now()
	d.result.Truth, err = g.Run(ctx)
	d.result.Took, d.result.Bytes, d.result.Behind = time.Since(begin), g.Bytes(), time.Duration(p.behind.Load())
	return err
}

// settle waits until all is measured and nothing waits to be exported, and takes the
// last account.
func (d *drive) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endsWithin)
	defer cancel()
	for {
		m, err := scrape(ctx, d.listen)
		if err != nil {
			return err
		}
		d.result.Metrics = m
		if measured := m.Sum("tailspan_produce_duration_seconds_count"); int(measured) >= d.result.Truth.Requests && m.Sum("tailspan_export_queue_spans") == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not all of %d requests are measured and exported: %+v", d.result.Truth.Requests, m.Account())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// end waits for Tailspan to have done with what it has read.
func (d *drive) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), endsWithin)
	defer cancel()
	if err := d.child.Wait(ctx); err != nil {
		err = errors.Join(err, d.child.Stop(syscall.SIGKILL, time.Second))
		return fmt.Errorf("tailspan: %w, see %s", err, d.Log)
	}
	s := d.cmd.ProcessState
	d.result.CPU = s.UserTime() + s.SystemTime()
	return d.account()
}

// account reads what Tailspan said in the end of all requests.
func (d *drive) account() error {
	log, err := d.child.Output()
	if err != nil {
		return err
	}
	all, err := tailspan.Accounts(log)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return tailspan.ErrNoAccount
	}
	d.result.Final = all[len(all)-1]
	return d.result.Final.Balanced()
}

// watch looks at Tailspan while it runs.
func (d *drive) watch(ctx context.Context) {
	each := time.NewTicker(50 * time.Millisecond)
	defer each.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-d.child.Done():
			return
		case <-each.C:
		}
		if peak, err := peakOf(d.child.PID()); err == nil { // else it has just ended
			d.result.Peak = max(d.result.Peak, peak)
		}
		if d.Run.Metrics && n%20 == 0 {
			// It may not listen yet, or no more: the last scrape must do.
			if m, err := scrape(ctx, d.listen); err == nil {
				d.result.Accounts = append(d.result.Accounts, m.Account())
			}
		}
	}
}

// peakOf reads a process's greatest resident memory so far. (rusage has that of
// whoever started it, too.)
func peakOf(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if value, ok := strings.CutPrefix(in.Text(), "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmHWM")
}

// processTime is the CPU time of this process.
func processTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
