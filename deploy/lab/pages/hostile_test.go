package pages

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/report/page"
	"github.com/tailspan/tailspan/spans"
)

// hostile is what a client may call itself, a topic or a thread.
var hostile = []string{
	`</script><script>window.pwned = 1</script>`,
	`<img src=x onerror="window.pwned = 2">`,
	`"><svg onload=window.pwned=3>`,
	"a\u2028window.pwned=4//\u2029b",
	`javascript:window.pwned=5`,
	`<!--<script>`,
	"\u202egpj.exe\u202c\x00\x1b[31m",
	`__proto__`, `constructor`, `{{7*7}}${7*7}`,
	strings.Repeat("long", 9000),
	"\xff\xfe not UTF-8",
}

// made is a candidate that is made up.
type madeUp struct{ t *spans.Trace }

func (m madeUp) BuildTrace() *spans.Trace { return m.t }

func (m madeUp) Summary() spans.Summary {
	root := m.t.Root()
	return spans.Summary{ID: m.t.ID, Name: root.Name, Start: root.Start, Latency: time.Duration(root.End - root.Start),
		Request: strings.HasPrefix(root.Name, spans.NameProduce)}
}

const began = int64(1_795_000_000_000_000_000)

// slowRequest is a row with its trace, with a name wherever there is one.
func slowRequest(c *page.Collector, i int, name string, at, ns int64) {
	id := spans.EventID("c", 1, "request", uint64(i), at)
	commit := spans.EventID("c", 1, "commit", uint64(i), at)
	other := &spans.Trace{ID: commit, Spans: []spans.Span{{ID: commit.Child("root"), Name: spans.NameJournalCommit, Start: at, End: at + ns}}}
	end := at + ns
	c.Request(&assemble.RequestRow{Arrival: at, End: &end, Latency: &ns, ClientID: name, Cause: "jbd2.commit", RootCause: name, WaitReason: &name, TraceID: id.String(),
		Partitions: []assemble.RequestPartition{{Topic: name, Bytes: 10, Records: 1, MessageIDs: []string{name}}}})
	text := attribute.String
	c.Trace(madeUp{&spans.Trace{ID: id, Spans: []spans.Span{
		{ID: id.Child("root"), Name: "produce " + name, Kind: spans.Server, Start: at, End: end, Error: name, Attributes: []attribute.KeyValue{
			text(spans.KeyClientID, name), text(spans.KeyRootCause, name), text(attributeKey(name), name), attribute.StringSlice(spans.KeyMessageIDs, []string{name}), attribute.Int(spans.KeyPID, 7)}},
		{ID: id.Child("write"), Parent: id.Child("root"), Name: spans.NameWrite, Start: at, End: end, Attributes: []attribute.KeyValue{
			text(spans.KeyFile, name), text(spans.KeyThreadName, name), attribute.Int(spans.KeyThreadID, 9), text(spans.KeyStack, name+"\n"+name)},
			Links: []spans.Link{{Trace: commit, Span: commit.Child("root"), Attributes: []attribute.KeyValue{text(spans.KeyLinkKind, name)}}, {Trace: id, Remote: true}}},
	}}})
	c.Trace(madeUp{other})
	c.Write(&assemble.WriteRow{Start: at, End: end, Latency: ns, PID: 7, TID: 9, Thread: name, File: name + "/0.log"})
	c.Wait(&assemble.WaitRow{Start: at, End: end, Latency: ns, PID: 7, TID: int32(10 + i), Thread: name, Class: name, Holders: []assemble.HolderRow{{TID: 9, Thread: name, NS: ns}}})
	c.Commit(&assemble.CommitRow{Start: at, End: end, Latency: ns, Device: "8:1", Origin: &name, By: &assemble.ByRow{Thread: name}, TraceID: commit.String()})
}

func attributeKey(name string) string { return "k " + name }

// Names from the wire are text in the page, whatever they are.
func TestHostileNames(t *testing.T) {
	start(t)
	dir := t.TempDir()
	file, both := filepath.Join(dir, "hostile.html"), filepath.Join(dir, "both.html")
	c := page.New(page.Options{SLO: time.Millisecond})
	for i, name := range hostile {
		c.Begin(name)
		c.Notice(name)
		c.Lost(map[string]uint64{name: 1})
		slowRequest(c, i, name, began+int64(i)*int64(time.Second), 40_000_000)
	}
	write := func(path string, w func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := w(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(b.Bytes(), []byte("</script")); n != 2 {
			t.Errorf("%s ends %d scripts", path, n)
		}
	}
	write(file, func(b *bytes.Buffer) error { return c.WritePage(b, hostile[0]) })
	write(both, func(b *bytes.Buffer) error {
		return page.Compare(hostile[0], hostile, fill(len(hostile), c)).Write(b)
	})
	for _, path := range []string{file, both} {
		tab := open(t, path, "")
		script := `(() => {
			for (const d of document.querySelectorAll('details')) d.open = true;
			for (const b of document.querySelectorAll('#trace button.span, .sort')) b.click();
			return true;
		})()`
		eval[bool](t, tab, script)
		for _, id := range eval[[]string](t, tab, `[...new Set([...document.querySelectorAll('a[href^="#trace-"]')].map((a) => a.getAttribute('href')))]`) {
			eval[bool](t, tab, fmt.Sprintf(`(location.hash = %q, true)`, id))
			eval[bool](t, tab, `new Promise((done) => setTimeout(() => done(true), 20))`)
			eval[bool](t, tab, script)
		}
		if eval[bool](t, tab, `typeof window.pwned !== 'undefined'`) {
			t.Errorf("%s: a name became a script", filepath.Base(path))
		}
		if n := eval[int](t, tab, `document.querySelectorAll('img, iframe, object, main script, [onerror], [onload]').length`); n != 0 {
			t.Errorf("%s: names became %d elements", filepath.Base(path), n)
		}
		text := eval[string](t, tab, `document.body.innerText`)
		for _, s := range []string{hostile[0], hostile[1], `\u{202e}`, `\u{2028}`, `__proto__`} {
			if !strings.Contains(text, s) {
				t.Errorf("%s: %q is not shown as it is", filepath.Base(path), s)
			}
		}
		if strings.ContainsAny(text, "\u202e\u2028\x1b") || strings.Contains(text, hostile[10]) {
			t.Errorf("%s: a name is shown as it came", filepath.Base(path))
		}
		// The policy holds: no script but the page's own, no request.
		if eval[bool](t, tab, `(() => { const s = document.createElement('script'); s.textContent = 'window.added = 1'; document.body.append(s); return window.added === 1; })()`) {
			t.Errorf("%s: its policy allows any script", filepath.Base(path))
		}
		tab.forget()
	}
}

func fill[T any](n int, x T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = x
	}
	return all
}

// A page of a million requests with as many incidents and traces as it may hold is
// no larger than 10 MB and opens in time.
func TestLargePage(t *testing.T) {
	start(t)
	c := page.New(page.Options{SLO: 65 * time.Millisecond})
	c.Begin("large")
	for i := range 1_000_000 {
		at, ns := began+int64(i)*100_000, int64(150_000+i%97*3_000)
		if i%200 == 0 { // a stall a second of five requests
			at -= at % int64(time.Second)
			slowRequest(c, i, fmt.Sprintf("topic-%d", i%3000), at+int64(i%1000), 70_000_000+int64(i%1000)*100_000)
			continue
		}
		end := at + ns
		c.Request(&assemble.RequestRow{Arrival: at, End: &end, Latency: &ns, Partitions: []assemble.RequestPartition{{Topic: "quick", Bytes: 1, Records: 1}}})
		c.Write(&assemble.WriteRow{Start: at, End: at + ns/2, Latency: ns / 2, PID: 7, TID: int32(i % 16), Thread: fmt.Sprintf("data-plane-kafka-request-handler-%d", i%16)})
	}
	file := filepath.Join(t.TempDir(), "large.html")
	var b bytes.Buffer
	if err := c.WritePage(&b, "test"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	tab := open(t, file, "")
	opensInTime(t, tab, file)
	t.Logf("%d bytes", b.Len())
	if b.Len() > 10_000_000 {
		t.Errorf("the page has %d bytes", b.Len())
	}
	if text := eval[string](t, tab, `document.querySelector('.tiles').innerText`); !strings.Contains(text, "1,000,000") {
		t.Error(text)
	}
}
