package report

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

func story() (stall, cascade *spans.Trace, resolve func(spans.TraceID) *spans.Trace) {
	commit := commitTrace()
	stall = stallTrace(commit)
	cascade = cascadeTrace(stall)
	all := map[spans.TraceID]*spans.Trace{commit.ID: commit, stall.ID: stall, cascade.ID: cascade}
	return stall, cascade, func(id spans.TraceID) *spans.Trace { return all[id] }
}

func TestWaterfall(t *testing.T) {
	stall, cascade, resolve := story()
	synced := syncedCommit()
	for _, c := range []struct {
		name  string
		trace *spans.Trace
		o     WaterfallOptions
	}{
		{"stall.txt", stall, WaterfallOptions{Resolve: resolve}},
		{"cascade.txt", cascade, WaterfallOptions{Width: 120, Resolve: resolve}},
		{"cascade-ascii.txt", cascade, WaterfallOptions{Width: 80, ASCII: true, Resolve: resolve}},
		{"cascade-color.txt", cascade, WaterfallOptions{Color: true}},
		{"commit.txt", commitTrace(), WaterfallOptions{}},
		{"pipelined.txt", pipelinedTrace(stall), WaterfallOptions{Resolve: resolve}},
		{"isr.txt", isrTrace(), WaterfallOptions{}},
		{"lost.txt", lostTrace(), WaterfallOptions{}},
		{"append.txt", bareTrace(), WaterfallOptions{}},
		{"sync.txt", syncTrace(synced), WaterfallOptions{Resolve: func(id spans.TraceID) *spans.Trace {
			if id == synced.ID {
				return synced
			}
			return nil
		}}},
		{"sync-commit.txt", synced, WaterfallOptions{}},
		{"xfs.txt", xfsTrace(), WaterfallOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Location = time.UTC
			var b bytes.Buffer
			if err := Waterfall(&b, c.trace, c.o); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, b.Bytes())
			if c.o.ASCII && bytes.ContainsFunc(b.Bytes(), func(r rune) bool { return r > '~' }) {
				t.Error("not ASCII")
			}
			if !c.o.Color {
				checkWidth(t, b.String(), max(c.o.Width, defaultWidth*b2i(c.o.Width == 0)))
			}
		})
	}
}

// Why the kernel let a write wait is told, with how its thread spent the time.
func TestKernelWait(t *testing.T) {
	stall, _, _ := story()
	tr := *stall
	tr.Spans = append([]spans.Span(nil), stall.Spans...)
	tr.Spans[0].Attributes = append(tr.Spans[0].Attributes[:len(tr.Spans[0].Attributes):len(tr.Spans[0].Attributes)],
		attribute.String(spans.KeyReason, "transaction locked"))
	for i := range tr.Spans {
		s := &tr.Spans[i]
		if s.Name != spans.NameWrite {
			continue
		}
		s.Attributes = append(s.Attributes[:len(s.Attributes):len(s.Attributes)], attribute.Int64(spans.KeyOnCPU, 1_000_000),
			attribute.Int64(spans.KeySleep, 400_000_000), attribute.Int64(spans.KeyRunQueue, 20_000))
		tr.Spans = append(tr.Spans, spans.Span{ID: spans.SpanID{9, 9}, Parent: s.ID, Name: spans.NameKernelWait, Start: s.Start + 1, End: s.End - 1,
			Attributes: []attribute.KeyValue{attribute.String(spans.KeyReason, "transaction locked"), attribute.String(spans.KeyStack, "wait_transaction_locked\nstart_this_handle")}})
		break
	}
	var b bytes.Buffer
	if err := Waterfall(&b, &tr, WaterfallOptions{Width: 160, ASCII: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"(transaction locked)", "kernel.wait", "waits: transaction locked", "on CPU 1", "asleep 400", "without a CPU 20"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not told:\n%s", want, b.String())
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func checkWidth(t *testing.T, s string, width int) {
	t.Helper()
	for line := range strings.Lines(s) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
			t.Errorf("%d columns, not %d: %s", n, width, line)
		}
	}
}

// Hostile and odd traces are drawn too, and steer no terminal.
func TestWaterfallOddities(t *testing.T) {
	m := start(9)
	m.add(-1, "produce \x1b]0;owned\a", 0, 0, attribute.String(spans.KeyClientID, "café\x1b[2J\u202e"), attribute.String(spans.KeyClientAddress, "::1"))
	for i := range int64(200) {
		m.add(int(i), strings.Repeat("x", int(i)), i, i)
	}
	m.t.Spans[0].Error = "\r\n"
	m.t.Spans[0].End = 1<<63 - 1
	m.t.Spans[5].Parent = m.t.Spans[5].ID // its own parent
	for _, o := range []WaterfallOptions{{Width: 1}, {}, {Width: 1000}, {ASCII: true}} {
		var b strings.Builder
		if err := Waterfall(&b, m.t, o); err != nil {
			t.Fatal(err)
		}
		if o.ASCII && !strings.Contains(b.String(), `caf\u{e9}`) {
			t.Errorf("not ASCII: %q", b.String())
		}
		if strings.ContainsAny(b.String(), "\x1b\r\a\u202e") {
			t.Errorf("unescaped: %q", b.String())
		}
		if !strings.Contains(b.String(), "not drawn") {
			t.Error("spans are missing in silence")
		}
	}
	if err := Waterfall(io.Discard, &spans.Trace{}, WaterfallOptions{}); err != nil {
		t.Error(err)
	}
	stall, _, _ := story()
	if err := Waterfall(broken{}, stall, WaterfallOptions{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

// A span's heavy half cells are those that no child covers.
func TestBar(t *testing.T) {
	span := func(from, to int64) *spans.Span { return &spans.Span{Start: from, End: to} }
	a := axis{lo: 0, hi: 10, cells: 5}
	got := a.bar(span(1, 9), []*spans.Span{span(2, 4), span(4, 5)})
	want := []uint8{empty, heavy, light, light, light, heavy, heavy, heavy, heavy, empty}
	if !bytes.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if got := a.bar(span(10, 10), nil); got[9] != heavy {
		t.Errorf("an instant at the end is not seen: %v", got)
	}
}

func TestIsUTF8(t *testing.T) {
	env := func(kv ...string) func(string) string {
		return func(k string) string {
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == k {
					return kv[i+1]
				}
			}
			return ""
		}
	}
	if isUTF8(env()) || !isUTF8(env("LANG", "C.UTF-8")) || isUTF8(env("LC_ALL", "C", "LANG", "en_US.utf8")) {
		t.Error("the locale is misread")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func BenchmarkWaterfall(b *testing.B) {
	_, cascade, resolve := story()
	b.ReportAllocs()
	for b.Loop() {
		if err := Waterfall(io.Discard, cascade, WaterfallOptions{Resolve: resolve}); err != nil {
			b.Fatal(err)
		}
	}
}
