package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/story"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/spans"
)

// shown is what has been on the terminal already.
type shown struct {
	tables    bool
	addresses bool
	slow      map[spans.TraceID]bool
	direct    *story.Direct
	cascade   *story.Cascade
}

// show prints the tables and the pictures.
func (d *demo) show(direct *story.Direct, cascade *story.Cascade) {
	d.shown.tables, d.shown.direct, d.shown.cascade = true, direct, cascade
	d.shown.slow = map[spans.TraceID]bool{}
	slowest := d.seen.requests()
	if len(slowest) == 0 {
		d.say("No slow request yet; each will be told of as it comes.")
		return
	}
	text, err := tables(slowest[:min(len(slowest), tableRows)])
	if err != nil {
		text = err.Error()
	}
	d.print(text)
	for _, t := range slowest {
		d.shown.slow[t.ID] = true
	}
	if direct == nil {
		d.print("\nThe slowest of them:\n\n" + d.picture(slowest[0]))
	} else {
		d.print(fmt.Sprintf("\nOne took %s, and nearly all of it was one journal commit (%s):\n\n%s",
			round(direct.Trace), commitName(direct.Commit), d.picture(direct.Trace)))
	}
	if cascade != nil {
		d.print(fmt.Sprintf("\nAnother took %s without writing slowly: it waited for a lock, whose holder waited for the commit (%s):\n\n%s",
			round(cascade.Trace), commitName(cascade.Commit), d.picture(cascade.Trace)))
	}
	d.print("\n")
}

// picture is a trace's waterfall.
func (d *demo) picture(t *spans.Trace) string {
	var b strings.Builder
	if err := report.Waterfall(&b, t, report.WaterfallOptions{Width: d.width, Color: d.color, Resolve: d.seen.get}); err != nil {
		return err.Error() + "\n"
	}
	return b.String()
}

// follow tells of each stall since, in a line: the slowest request of those
// that ended together, and how many more there were.
func (d *demo) follow() {
	var first *spans.Trace
	more, queued := 0, 0
	for _, t := range d.seen.requests() {
		if latency(t) <= story.Slow {
			break
		}
		if d.shown.slow[t.ID] {
			continue
		}
		d.shown.slow[t.ID] = true
		if first == nil {
			first = t
			continue
		}
		more++
		switch spans.Cause(cause(t)) {
		case spans.CauseSocket, spans.CauseQueue:
			queued++
		}
	}
	if first == nil {
		return
	}
	text := fmt.Sprintf("%s took %s: %s", first.Root().Name, round(first), why(first))
	if more > 0 {
		text += fmt.Sprintf("; %d more with it, %d of them queued", more, queued)
	}
	d.say("%s  (trace %s)", text, first.ID)
}

func cause(t *spans.Trace) string { return value(t.Root(), spans.KeyCause).AsString() }

// why is the cause, and the root cause where it is another.
func why(t *spans.Trace) string {
	text := cause(t)
	if root := value(t.Root(), spans.KeyRootCause).AsString(); root != text && root != "" {
		text += ", because of " + root
	}
	return text
}

func round(t *spans.Trace) time.Duration { return latency(t).Round(time.Millisecond) }

// addresses prints, once, where the two traces are in Jaeger.
func (d *demo) addresses(ctx context.Context) {
	if d.shown.addresses || !d.shown.tables {
		return
	}
	if d.shown.direct == nil && d.shown.cascade == nil {
		// Nothing to tell by the time of the tables: perhaps now.
		if d.shown.direct, d.shown.cascade = d.seen.stories(); d.shown.direct == nil {
			return
		}
	}
	var b strings.Builder
	add := func(what string, t *spans.Trace) bool {
		if _, err := d.jaeger.client.Trace(ctx, t.ID.String()); err != nil {
			return false // still on its way
		}
		fmt.Fprintf(&b, "\n  %s\n    %s/trace/%s\n    %s/api/traces/%s\n", what, d.jaeger.client.URL, t.ID, d.jaeger.client.URL, t.ID)
		return true
	}
	if s := d.shown.direct; s != nil && !add("the request that waited for the commit", s.Trace) {
		return
	}
	if s := d.shown.cascade; s != nil {
		if !add("the request that waited for a lock", s.Trace) || !add("the holder of that lock", s.Holder) {
			return
		}
	}
	d.shown.addresses = true
	if d.jaeger.own {
		d.say("Jaeger has them:")
	} else {
		d.say("Jaeger has them (this one comes without its pages: the first address is for a Jaeger that has them):")
	}
	d.print(b.String() + "\n")
	if s := d.shown.direct; s != nil {
		d.fromRecord(ctx, s.Trace)
	}
}

// errNoStory makes the demo fail.
var errNoStory = errors.New("showed no request over 300 ms with the commit behind it")

// verdict asks Jaeger for what was shown, and judges what it answers.
func (d *demo) verdict(ctx context.Context) error {
	if !d.shown.tables {
		d.show(d.seen.stories())
	}
	direct, cascade := 0, 0
	resolve := func(id spans.TraceID) *spans.Trace { return d.ask(ctx, id) }
	for _, t := range d.seen.requests() {
		if latency(t) <= story.Slow {
			break
		}
		answer := d.ask(ctx, t.ID)
		if answer == nil {
			continue
		}
		if story.FindDirect(answer) != nil {
			direct++
		} else if story.FindCascade(answer, resolve) != nil {
			cascade++
		}
	}
	d.say("Jaeger holds %d requests that waited for a commit, and %d that waited for the lock of such a one.", direct, cascade)
	if direct+cascade == 0 {
		return errNoStory
	}
	return nil
}

// ask gets a trace from Jaeger, nil if it has none such.
func (d *demo) ask(ctx context.Context, id spans.TraceID) *spans.Trace {
	answer, err := d.jaeger.client.Trace(ctx, id.String())
	if err != nil {
		return nil
	}
	t, err := answer.Convert()
	if err != nil {
		return nil
	}
	return t
}
