package assemble

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/spans"
)

// Reasons of rows that are no waits.
const (
	reasonOnCPU    = "on CPU"
	reasonRunQueue = "run queue" // it could run, and had no CPU
)

// printStacks divides a write's time: the sleeps by their stacks, the delays of
// running again, and what it ran by the samples, if there are any.
func (a *Assembler) printStacks(w *write, s *stays) {
	row := func(reason string, k *event.Stack, ns event.Time) {
		if ns <= 0 {
			return
		}
		r := StackRow{Topic: w.ev.Topic, Write: int64(w.ev.End - w.ev.Start), Reason: reason, NS: int64(ns)}
		if k != nil {
			r.Frames = k.Frames
		}
		a.o.Output.Stack(&r)
	}
	for e, start := range s.inside(w.ev.Start, w.ev.End) {
		if e.Preempted {
			row(reasonOf(e), e.Stack, e.End-start)
			continue
		}
		slept := sleep(e, start)
		row(reasonOf(e), e.Stack, slept)
		row(reasonRunQueue, nil, e.End-start-slept)
	}
	row(stack.Unknown, nil, w.cpu.more.sleep)
	row(reasonRunQueue, nil, w.cpu.more.runQueue)
	on := w.cpu.on(w.ev.End - w.ev.Start)
	for i, e := range s.samples {
		share := on / event.Time(len(s.samples)-i)
		row(reasonOnCPU, e.Stack, share)
		on -= share
	}
	row(reasonOnCPU, nil, on)
}

// on is how long the thread ran of the whole time.
func (c *cpu) on(whole event.Time) event.Time { return whole - c.sleep - c.runQueue }

// attributes are those of the call itself.
func (c *cpu) attributes(attrs []attribute.KeyValue, whole event.Time) []attribute.KeyValue {
	attrs = append(attrs,
		attribute.Int64(spans.KeyOnCPU, int64(c.on(whole))),
		attribute.Int64(spans.KeySleep, int64(c.sleep)),
		attribute.Int64(spans.KeyRunQueue, int64(c.runQueue)))
	if c.reason != "" {
		attrs = append(attrs, attribute.String(spans.KeyReason, c.reason))
	}
	if c.samples > 0 {
		attrs = append(attrs, attribute.Int(spans.KeySamples, c.samples))
		attrs = appendStack(attrs, c.busiest)
	}
	return attrs
}

func appendStack(attrs []attribute.KeyValue, s *event.Stack) []attribute.KeyValue {
	if s == nil {
		return attrs
	}
	return append(attrs, attribute.String(spans.KeyStack, strings.Join(s.Frames, "\n")))
}

// kernelWaits adds kernel.wait for the waits inside an ext4_dirty_inode of a
// call, or for d nil those that lie in none of all.
func (b *builder) kernelWaits(parent int, tid int32, c *cpu, d *event.DirtyInode, all []*event.DirtyInode) {
	if c == nil {
		return
	}
	for i := range c.waits {
		w := &c.waits[i]
		if w.within(all) != d {
			continue
		}
		attrs := []attribute.KeyValue{
			attribute.String(spans.KeyReason, w.reason),
			attribute.Int64(spans.KeySleep, int64(w.sleep)),
			attribute.Int64(spans.KeyRunQueue, int64(w.runQueue)),
		}
		b.span(parent, spans.NameKernelWait, b.t.ID.Child(spans.NameKernelWait, uint64(tid), uint64(w.start)),
			w.start, w.end, appendStack(attrs, w.stack)...)
	}
}

// within is the ext4_dirty_inode that a wait lies in; nil: none.
func (w *kernelWait) within(all []*event.DirtyInode) *event.DirtyInode {
	for _, d := range all {
		if w.start >= d.Start && w.end <= d.End {
			return d
		}
	}
	return nil
}
