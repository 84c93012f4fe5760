package otlp

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
)

const (
	chaosQueue = 2000                    // spans in memory
	chaosDir   = 16 << 20                // bytes on disk
	outage     = 700 * time.Millisecond  // how long a fault lasts
	pace       = 2 * time.Millisecond    // a trace, from the beginning to the end
	maxExport  = 300 * time.Millisecond  // on a machine with much else to do; a hang would be no less than the timeout
	chaosLimit = 1500 * time.Millisecond // of an attempt
)

// fault is what may become of a collector.
type fault struct {
	name string
	// begin puts it where the collector was, and returns how to take it away;
	// nil: nothing is there.
	begin func(t *testing.T, p *place, c *chaos) (end func(abruptly bool))
	// what must be counted of it, at least something
	failures, rejected, unsure bool
	tls                        bool
}

func (f fault) happened(s Stats) bool {
	return (s.Failures > 0 || !f.failures) && (s.Rejected.Spans > 0 || !f.rejected) && (s.Unsure != Count{} || !f.unsure)
}

func answers(b behaviour) func(*testing.T, *place, *chaos) func(bool) {
	return func(t *testing.T, p *place, _ *chaos) func(bool) { return p.open(t, b, nil) }
}

func always(a answer) func(*testing.T, *place, *chaos) func(bool) {
	return answers(func(context.Context, int, func()) answer { return a })
}

func raw(f func(*net.TCPConn)) func(*testing.T, *place, *chaos) func(bool) {
	return func(t *testing.T, p *place, _ *chaos) func(bool) { return p.openRaw(t, f) }
}

var faults = []fault{
	{name: "refuses connections", failures: true},
	{name: "never answers a connection", begin: raw(func(*net.TCPConn) {}), failures: true},
	{name: "never answers a request", failures: true, unsure: true, begin: answers(func(ctx context.Context, _ int, _ func()) answer {
		<-ctx.Done()
		return answer{code: codes.Canceled, http: http.StatusServiceUnavailable}
	})},
	{name: "takes, and never answers", failures: true, unsure: true, begin: answers(func(ctx context.Context, _ int, take func()) answer {
		take()
		<-ctx.Done()
		return answer{code: codes.Canceled, http: http.StatusServiceUnavailable}
	})},
	{name: "is slow", begin: answers(func(_ context.Context, _ int, take func()) answer {
		time.Sleep(outage / 7)
		take()
		return answer{}
	})},
	{name: "resets connections", failures: true, begin: raw(func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 3000))
		_ = c.SetLinger(0)
		c.Close()
	})},
	{name: "is unavailable", failures: true, begin: always(answer{code: codes.Unavailable, http: http.StatusServiceUnavailable})},
	{name: "throttles", failures: true, begin: always(answer{code: codes.ResourceExhausted, http: http.StatusTooManyRequests, delay: time.Second})},
	{name: "takes a part", rejected: true, begin: answers(func(_ context.Context, _ int, take func()) answer {
		take()
		return answer{rejected: 1}
	})},
	{name: "takes no large requests", failures: true, begin: answers(func(_ context.Context, n int, take func()) answer {
		if n > 16 {
			return answer{code: codes.ResourceExhausted, http: http.StatusRequestEntityTooLarge}
		}
		take()
		return answer{}
	})},
	{name: "finds nothing large enough", failures: true, rejected: true, begin: always(answer{code: codes.ResourceExhausted, http: http.StatusRequestEntityTooLarge})},
	{name: "refuses", failures: true, rejected: true, begin: always(answer{code: codes.InvalidArgument, http: http.StatusBadRequest})},
	{name: "has another CA's certificate", failures: true, tls: true, begin: func(t *testing.T, p *place, c *chaos) func(bool) {
		return p.open(t, takes, &c.wrong)
	}},
	{name: "restarts again and again", begin: func(t *testing.T, p *place, _ *chaos) func(bool) {
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for !closed(stop) {
				end := p.open(t, takes, nil)
				time.Sleep(outage / 20)
				end(true)
			}
		}()
		return func(bool) { close(stop); <-stopped }
	}},
}

// chaos is what all runs have in common.
type chaos struct {
	env          sync.Mutex // New reads it
	ca           authority
	right, wrong tls.Certificate
	longest      atomic.Int64 // call of Export, ns
}

// TestChaos: whatever becomes of the collector in the middle, over gRPC and
// HTTP, with a directory and a second process, and without: no call of Export
// waits, memory and directory stay within their bounds, at any moment all that
// was given is accounted for, and in the end every trace was delivered once or
// is counted as dropped.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	c := &chaos{ca: newAuthority(t)}
	c.right, _, _ = c.ca.issue(t)
	c.wrong, _, _ = newAuthority(t).issue(t)
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", fmt.Sprint(chaosLimit.Milliseconds()))
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			var all sync.WaitGroup
			for _, protocol := range []string{protocolGRPC, protocolHTTP} {
				for _, dir := range []string{"", t.TempDir()} {
					p := &place{addr: freePort(t), protocol: protocol, got: map[string]int{}}
					all.Go(func() { c.run(t, f, p, dir) })
				}
			}
			all.Wait()
		})
	}
	t.Logf("longest call of Export: %s", time.Duration(c.longest.Load()))
}

// run is one collector's life: well, then the fault, then well again.
func (c *chaos) run(t *testing.T, f fault, p *place, dir string) {
	name := p.protocol + " " + map[bool]string{true: "in memory", false: "with a directory"}[dir == ""]
	var cert *tls.Certificate
	if f.tls {
		cert = &c.right
	}
	first := c.start(t, f, p, dir)
	n := 0
	end := p.open(t, takes, cert)
	c.feed(t, name, first, &n, outage/4)
	end(false)
	end = func(bool) {}
	if f.begin != nil {
		end = f.begin(t, p, c)
	}
	c.feed(t, name, first, &n, outage)
	for more := 0; !f.happened(first.Stats()) && more < 200; more++ { // a slow machine
		c.feed(t, name, first, &n, outage/20)
	}
	all := []*Exporter{first}
	if dir != "" { // and the process ends in the middle of it
		_ = flush(first, outage/4)
		all = append(all, c.start(t, f, p, dir))
		c.feed(t, name, all[1], &n, outage/2)
	}
	end(false)
	end = p.open(t, takes, cert)
	defer end(true)
	last := all[len(all)-1]
	c.feed(t, name, last, &n, outage/2)
	for deadline := time.Now().Add(15 * time.Second); last.Stats().Queued != (Count{}) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	if err := flush(last, 5*time.Second); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	c.judge(t, name, f, p, all)
}

func (c *chaos) start(t *testing.T, f fault, p *place, dir string) *Exporter {
	c.env.Lock()
	defer c.env.Unlock()
	scheme, ca := "http://", ""
	if f.tls {
		scheme, ca = "https://", c.ca.file
	}
	for k, v := range map[string]string{"PROTOCOL": p.protocol, "ENDPOINT": scheme + p.addr, "CERTIFICATE": ca} {
		os.Setenv("OTEL_EXPORTER_OTLP_"+k, v)
		defer os.Unsetenv("OTEL_EXPORTER_OTLP_" + k)
	}
	e, err := New(context.Background(), Options{Logger: slog.New(slog.DiscardHandler), QueueSpans: chaosQueue, Dir: dir, DirBytes: chaosDir})
	if err != nil {
		panic(err)
	}
	return e
}

// feed gives traces for a while, at a steady pace, and looks at the bounds and
// the account all the time.
func (c *chaos) feed(t *testing.T, name string, e *Exporter, n *int, d time.Duration) {
	for end, next := time.Now().Add(d), time.Now(); next.Before(end); next = next.Add(pace) {
		time.Sleep(time.Until(next))
		tr := fiveSpans(*n)
		*n++
		start := time.Now()
		e.Export(tr)
		took := time.Since(start)
		if took > maxExport {
			t.Errorf("%s: Export took %s", name, took)
		}
		for old := c.longest.Load(); int64(took) > old && !c.longest.CompareAndSwap(old, int64(took)); old = c.longest.Load() {
		}
		s := e.Stats()
		balanced(t, s)
		if s.Queued.Spans-s.Disk.Queued.Spans > chaosQueue || s.Disk.Bytes > chaosDir {
			t.Errorf("%s: out of bounds: %+v", name, s)
			return
		}
	}
}

func (c *chaos) judge(t *testing.T, name string, f fault, p *place, all []*Exporter) {
	var sum Stats
	left := Count{}
	for _, e := range all {
		s := e.Stats()
		balanced(t, s)
		if s.Restored != left {
			t.Errorf("%s: %v restored of %v", name, s.Restored, left)
		}
		if left = s.Queued; s.Queued != s.Disk.Queued || s.Disk.Errors > 0 {
			t.Errorf("%s: after the end: %+v", name, s)
		}
		sum.Exported, sum.Rejected, sum.Unsure = sum.Exported.plus(s.Exported), sum.Rejected.plus(s.Rejected), sum.Unsure.plus(s.Unsure)
		sum.Failures += s.Failures
		sum.Given, sum.QueueFull = sum.Given.plus(s.Given), sum.QueueFull.plus(s.QueueFull)
		sum.Undelivered, sum.Disk.Spilled = sum.Undelivered.plus(s.Undelivered), sum.Disk.Spilled.plus(s.Disk.Spilled)
	}
	traces, twice := p.arrived()
	if left != (Count{}) || sum.Undelivered != (Count{}) || uint64(traces) != sum.Exported.Traces {
		t.Errorf("%s: %d arrived: %+v", name, traces, sum)
	}
	if uint64(twice) > sum.Unsure.Traces { // a machine that is busy elsewhere makes any fault one of these
		t.Errorf("%s: %d traces arrived twice: %+v", name, twice, sum)
	}
	if !f.happened(sum) {
		t.Errorf("%s: did not happen: %+v", name, sum)
	}
	t.Logf("%-30s given %4d exported %4d queue full %3d rejected %3d (%d spans) unsure %3d twice %3d spilled %4d failures %2d", name,
		sum.Given.Traces, sum.Exported.Traces, sum.QueueFull.Traces, sum.Rejected.Traces, sum.Rejected.Spans, sum.Unsure.Traces, twice, sum.Disk.Spilled.Traces, sum.Failures)
}
