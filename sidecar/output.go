package sidecar

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/metrics"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/sidecar/serve"
	"github.com/tailspan/tailspan/spans"
	"github.com/tailspan/tailspan/spans/otlp"
	"github.com/tailspan/tailspan/spans/sample"
)

// remembered is how many finished requests may still be asked for by a slow
// one that links to them. Who waits and who holds end within a stall of one
// another; a remembered request takes 2 to 3 KB.
const remembered = 8192

// output takes what the assembler finishes: rows go to the printer, traces to
// the sampler and from there to the exporter. It lives on one goroutine.
type output struct {
	log       *slog.Logger
	print     string
	threshold time.Duration
	printer   *report.Printer
	sampler   *sample.Sampler
	exporter  *otlp.Exporter   // nil: nothing is exported
	metrics   *metrics.Metrics // nil: nothing is measured
	kept      *serve.Index     // nil: nobody asks for traces
	page      *livePage        // nil: nobody looks at it
	verifier  *verifier        // nil: nothing is verified
	err       error            // the printer's first
}

func newOutput(o Options) (*output, error) {
	out := &output{
		log: o.Logger, print: o.Config.Print, threshold: o.Config.Threshold,
		printer: report.New(o.Stdout, o.Config.Print, o.Config.Format, o.Config.Threshold),
	}
	if f, ok := o.Stdout.(*os.File); ok {
		out.printer.Waterfall = report.TerminalOptions(f)
	}
	if len(o.Config.LogDirs) > 0 {
		v, err := newVerifier(o.Config.LogDirs, o.Stdout, o.Config.Format)
		if err != nil {
			return nil, err
		}
		out.verifier = v
	}
	sampling := sample.Options{
		SLO: o.Config.Objective(), Errors: o.Config.KeepErrors, Causes: o.Config.KeepCauses,
		Slowest: o.Config.KeepSlowest, Share: o.Config.KeepShare, MaxSpansRate: o.Config.MaxSpansRate,
		Keep: remembered,
	}
	if o.Export {
		e, err := otlp.New(context.Background(), otlp.Options{Logger: o.Logger, Version: o.Version,
			Dir: o.Config.QueueDir, DirBytes: o.Config.QueueDirBytes})
		if err != nil {
			return nil, err
		}
		out.exporter, sampling.Export = e, out.export
	}
	out.sampler = sample.New(sampling)
	if o.Config.Listen != "" || o.Push || o.View != nil {
		out.metrics = metrics.New(metrics.Options{Version: o.Version, MaxTopics: o.Config.MaxTopics, SLO: o.Config.Objective(), Logger: o.Logger})
	}
	if o.Config.Listen != "" {
		out.kept = serve.NewIndex(0, clusterOf)
		out.page = newLivePage(&o.Config)
	}
	return out, nil
}

// export hands on a kept trace; what is told elsewhere of kept traces is told of
// those that the exporter takes.
func (o *output) export(t *spans.Trace) bool {
	if !o.exporter.Export(t) {
		return false
	}
	if o.metrics != nil {
		o.metrics.Kept(t)
	}
	if o.kept != nil {
		o.kept.Add(t)
	}
	return true
}

// tick tells the sampler what time it is (Unix ns).
func (o *output) tick(now int64) { o.sampler.Tick(now) }

func (o *output) rows() assemble.Rows {
	page := o.page != nil
	return assemble.Rows{
		Requests: o.print == "requests" || page, Writes: o.print == "writes" || page, Joined: o.print == "joined" || o.verifier != nil,
		Waits: o.print == "waits" || page, Commits: o.print == "commits" || page, Stacks: o.print == "stacks", Traces: o.traces() || page,
	}
}

// traces says whether anybody but the page takes traces.
func (o *output) traces() bool { return o.exporter != nil || o.print == "traces" }

func (o *output) Request(r *assemble.RequestRow) {
	if o.page != nil {
		o.page.now.Request(r)
	}
	if o.print == "requests" {
		o.note(o.printer.Request(r))
	}
}

func (o *output) Write(r *assemble.WriteRow) {
	if o.page != nil {
		o.page.now.Write(r)
	}
	if o.print == "writes" {
		o.note(o.printer.Write(r))
	}
}

func (o *output) Wait(r *assemble.WaitRow) {
	if o.page != nil {
		o.page.now.Wait(r)
	}
	if o.print == "waits" {
		o.note(o.printer.Wait(r))
	}
}

func (o *output) Commit(r *assemble.CommitRow) {
	if o.page != nil {
		o.page.now.Commit(r)
	}
	if o.print == "commits" {
		o.note(o.printer.Commit(r))
	}
}

func (o *output) Stack(r *assemble.StackRow) { o.printer.Stack(r) }

func (o *output) Joined(r *assemble.JoinedRow) {
	o.note(o.printer.Joined(r))
	if o.verifier != nil {
		o.note(o.verifier.joined(r))
	}
}

// errReaderGone says that whoever read what is printed has had enough
// (`| head`): the end, and no failure.
var errReaderGone = errors.New("the reader of the output is gone")

func (o *output) note(err error) {
	if errors.Is(err, syscall.EPIPE) {
		err = errReaderGone
	}
	if o.err == nil {
		o.err = err
	}
}

// Trace offers a trace to the sampler; --print traces shows all over the
// threshold, exported or not.
func (o *output) Trace(c assemble.Candidate) {
	if o.print == "traces" && c.Summary().Latency >= o.threshold {
		t := c.BuildTrace()
		o.note(o.printer.Trace(t))
		c = built{c, t}
	}
	if o.page != nil {
		o.page.now.Trace(c)
	}
	if o.traces() {
		o.sampler.Offer(c)
	}
}

// built is a candidate whose trace was printed.
type built struct {
	assemble.Candidate
	trace *spans.Trace
}

func (b built) BuildTrace() *spans.Trace { return b.trace }

// flush writes out what was printed since; it returns the first error, such
// as a reader that went away.
func (o *output) flush() error {
	o.note(o.printer.Flush())
	return o.err
}

// close ends exporting within the time that ctx leaves. What the
// collector did not take by then is counted, and no failure of ours.
func (o *output) close(ctx context.Context) error {
	if o.exporter != nil {
		if err := o.exporter.Shutdown(ctx); err != nil {
			o.log.Warn("not all traces were delivered", "error", err, "do", "see that the collector takes them")
		}
	}
	o.note(o.printer.Stacks())
	return o.flush()
}
