package pages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// opens is how long a page may take until it is there.
const opens = 2 * time.Second

// shared are one browser and one set of pages for all tests.
var shared struct {
	sync.Once
	browser *Browser
	made    *Made
	err     error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pages")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	workDir = dir
	code := m.Run()
	if shared.browser != nil {
		if err := shared.browser.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "end the browser:", err)
		}
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

var workDir string

func start(t *testing.T) (*Browser, *Made) {
	t.Helper()
	shared.Do(func() {
		shared.browser, shared.err = Start(context.Background(), filepath.Join(workDir, "profile"))
		if shared.err == nil {
			shared.made, shared.err = Make(context.Background(), workDir)
		}
	})
	if errors.Is(shared.err, ErrNone) {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.browser, shared.made
}

// open opens a page in a tab of its own, which has no errors when the test ends.
func open(t *testing.T, file, fragment string) *Tab {
	t.Helper()
	b, _ := start(t)
	tab, err := b.Tab(context.Background(), 1280, 900)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tab.Open(file, fragment); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if all := tab.Errors(); len(all) > 0 {
			t.Errorf("errors in the page: %q", all)
		}
		for _, url := range tab.Fetched() {
			if !strings.HasPrefix(url, "file://"+file) {
				t.Errorf("the page asked for %s", url)
			}
		}
	})
	return tab
}

// eval is Eval that cannot fail.
func eval[T any](t *testing.T, tab *Tab, expression string) (result T) {
	t.Helper()
	if err := tab.Eval(expression, &result); err != nil {
		t.Fatal(err)
	}
	return result
}

func press(t *testing.T, tab *Tab, all ...string) {
	t.Helper()
	for _, key := range all {
		if err := tab.Press(key); err != nil {
			t.Fatal(err)
		}
	}
}

// Pages open from the disk in time, say what the recording has, and have neither an
// empty picture nor an empty table.
func TestPagesOpen(t *testing.T) {
	_, made := start(t)
	for file, says := range map[string][]string{
		made.Report:  {"7,659", "30 slow", "384.0 ms", "jbd2.commit", "Incident 2", "handler-1", "orders"},
		made.Compare: {"whole", "first half", "7,659", "11,367", "jbd2.commit", "breaks off"},
	} {
		tab := open(t, file, "")
		opensInTime(t, tab, file)
		text := eval[string](t, tab, `document.body.innerText`)
		for _, s := range says {
			if !strings.Contains(text, s) {
				t.Errorf("%s does not say %q", filepath.Base(file), s)
			}
		}
		for what, script := range map[string]string{
			"pictures without a pixel":     `[...document.querySelectorAll('canvas')].filter((c) => !c.width || !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((x) => x)).length`,
			"empty elements":               `[...document.querySelectorAll('section, figure, table, tbody, ul, ol, p, h2, h3, li')].filter((e) => e.offsetParent && !e.textContent.trim() && !e.querySelector('svg, canvas')).length`,
			"ids that are twice there":     `(() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); return ids.length - new Set(ids).size; })()`,
			"values that are none":         `(document.body.innerText.match(/undefined|NaN|\[object|null/g) || []).length`,
			"a page wider than the window": `Math.max(0, document.documentElement.scrollWidth - innerWidth)`,
		} {
			if n := eval[int](t, tab, script); n != 0 {
				t.Errorf("%s: %s: %d", filepath.Base(file), what, n)
			}
		}
		// Ticks of the clock are at whole parts of a second of it, not of the recording's.
		if off := eval[float64](t, tab, `(() => { const d = JSON.parse(document.getElementById('data').textContent), u = [...document.querySelectorAll('[data-ticks]')].pop();
			if (!u) return d.origin_unix_ns ? -1 : 0;
			return Math.max(...u.dataset.ticks.split(' ').map((t) => { const ms = Number(BigInt(d.origin_unix_ns) % 10000000000n) / 1e6 + t * 1e3; return Math.abs(ms / 100 - Math.round(ms / 100)); })); })()`); off < 0 || off > 1e-6 {
			t.Errorf("%s: ticks are off by %v", filepath.Base(file), off)
		}
		if n := eval[int](t, tab, `document.querySelectorAll('canvas').length`); n < 3 {
			t.Errorf("%s: %d heatmaps", filepath.Base(file), n)
		}
	}
}

// opensInTime opens a page up to three times: other tests may have the CPUs.
func opensInTime(t *testing.T, tab *Tab, file string) {
	t.Helper()
	least := time.Hour
	for try := 0; try < 3 && least > opens; try++ {
		took, err := tab.Open(file, "")
		if err != nil {
			t.Fatal(err)
		}
		least = min(least, took)
	}
	t.Logf("%s took %v", filepath.Base(file), least.Round(time.Millisecond))
	if least > opens {
		t.Errorf("%s took %v", filepath.Base(file), least)
	}
}

// From a waiter a reader comes to its lock's holder and to the commit that held that
// one up, by links alone, and back by the browser's own way back.
func TestLinks(t *testing.T) {
	_, made := start(t)
	tab := open(t, made.Report, "")
	dead := eval[[]string](t, tab, `[...document.querySelectorAll('a[href^="#"]')].map((a) => a.getAttribute('href')).filter((h) => !h.startsWith('#trace-') && !document.getElementById(h.slice(1)))`)
	if len(dead) > 0 {
		t.Errorf("links to nothing: %v", dead)
	}
	title := func() string {
		time.Sleep(50 * time.Millisecond) // the address changes after the click
		return eval[string](t, tab, `document.querySelector('#trace h3').textContent`)
	}
	click := func(what, script string) {
		t.Helper()
		if !eval[bool](t, tab, `(() => { const a = `+script+`; if (!a) return false; a.click(); return true; })()`) {
			t.Fatalf("no link to %s", what)
		}
	}
	click("a waiter", `[...document.querySelectorAll('#traces tbody tr')].find((r) => r.textContent.includes('monitor.wait')).querySelector('a')`)
	waiter := title()
	if !strings.HasPrefix(waiter, "produce orders, ") {
		t.Fatal(waiter)
	}
	click("its holder", `[...document.querySelectorAll('#trace .waterfall a')].find((a) => a.textContent.includes("holder wrote meanwhile"))`)
	holder := title()
	if !strings.HasPrefix(holder, "produce orders, ") || holder == waiter {
		t.Errorf("the holder is %s", holder)
	}
	if n := eval[int](t, tab, `document.querySelectorAll('#trace .trail a').length`); n < 2 {
		t.Errorf("the holder has %d links in its trail", n)
	}
	click("the commit", `[...document.querySelectorAll('#trace .waterfall a')].find((a) => a.textContent.includes('the commit that held it up'))`)
	if commit := title(); !strings.HasPrefix(commit, "journal.commit, ") {
		t.Errorf("the commit is %s", commit)
	}
	if n := eval[int](t, tab, `document.querySelectorAll('#trace tr.target').length`); n > 1 {
		t.Errorf("%d spans are marked as the link's", n)
	}
	if focused := eval[string](t, tab, `document.activeElement.textContent`); !strings.HasPrefix(focused, "journal.commit") {
		t.Errorf("the focus is on %q", focused)
	}
	eval[bool](t, tab, `(history.back(), true)`)
	if back := title(); back != holder {
		t.Errorf("back is %s", back)
	}
	// A page that is opened by a link to a part of it shows that part.
	id := eval[string](t, tab, `location.hash`)
	other := open(t, made.Report, id)
	if got := eval[string](t, other, `document.querySelector('#trace h3').textContent`); got != holder {
		t.Errorf("%s shows %s", id, got)
	}
	incident := open(t, made.Report, "#incident-1")
	if !eval[bool](t, incident, `document.getElementById('incident-1').open && document.querySelectorAll('#incident-1 .lanes svg').length > 3`) {
		t.Error("the first incident is not open")
	}
}

// All of it can be done with keys: what is reached by Tab stands in the order of the
// page, shows that it has the focus, and does its work.
func TestKeys(t *testing.T) {
	_, made := start(t)
	tab := open(t, made.Report, "")
	var order []string
	for range 60 {
		press(t, tab, "Tab")
		e := eval[struct {
			Name    string
			Top     float64
			Outline string
		}](t, tab, `(() => { const e = document.activeElement; return { Name: e.tagName + ' ' + (e.id || e.getAttribute('aria-label') || e.textContent.trim().slice(0, 30)), Top: e.getBoundingClientRect().top + scrollY, Outline: getComputedStyle(e).outlineStyle }; })()`)
		if e.Outline == "none" {
			t.Errorf("%s does not show that it has the focus", e.Name)
		}
		order = append(order, e.Name)
	}
	want := []string{"A Skip to the content", "A Overview", "A Over time", "A Causes", "A Incidents"}
	if !slices.Equal(order[:len(want)], want) || !slices.Contains(order, "INPUT column") || !slices.ContainsFunc(order, func(s string) bool { return strings.HasPrefix(s, "BUTTON Root cause") }) {
		t.Errorf("the focus goes %q", order)
	}
	if sorted := eval[bool](t, tab, `(() => { const of = [...document.querySelectorAll('a, button, input, summary, [tabindex="0"]')].filter((e) => e.offsetParent || e.tagName === 'A'); return of.every((e) => e.tabIndex <= 0); })()`); !sorted {
		t.Error("something jumps the queue of the focus")
	}

	eval[bool](t, tab, `(document.getElementById('column').focus(), true)`)
	before := eval[string](t, tab, `document.querySelector('.readout').textContent`)
	press(t, tab, "ArrowRight")
	after := eval[string](t, tab, `document.querySelector('.readout').textContent`)
	if before == after || eval[string](t, tab, `document.getElementById('column').getAttribute('aria-valuetext')`) != after {
		t.Errorf("an arrow moves from %q to %q", before, after)
	}

	eval[bool](t, tab, `(document.querySelector('#causes .sort').focus(), true)`)
	press(t, tab, "Enter")
	if s := eval[string](t, tab, `document.querySelector('#causes [aria-sort]').getAttribute('aria-sort')`); s != "descending" {
		t.Errorf("sorted %s", s)
	}
	eval[bool](t, tab, `(document.querySelector('#incident-1 summary').focus(), true)`)
	press(t, tab, "Enter")
	if !eval[bool](t, tab, `document.getElementById('incident-1').open`) {
		t.Error("Enter does not open an incident")
	}
	eval[bool](t, tab, `(document.querySelector('#trace button.span').focus(), true)`)
	press(t, tab, "Enter")
	if !eval[bool](t, tab, `document.querySelector('#trace button.span').getAttribute('aria-expanded') === 'true' && document.querySelector('#trace .detail:not([hidden])').textContent.includes('messaging.system')`) {
		t.Error("Enter does not open a span")
	}
}

// What a screen reader is told: everything that can be used, and every picture, has
// a name; tables have heads; headings do not leave out a level.
func TestReadAloud(t *testing.T) {
	_, made := start(t)
	for _, file := range []string{made.Report, made.Compare} {
		tab := open(t, file, "")
		var tree struct {
			Nodes []struct {
				Ignored bool
				Role    struct{ Value any }
				Name    struct{ Value any }
			}
		}
		if err := tab.Call("Accessibility.getFullAXTree", nil, &tree); err != nil {
			t.Fatal(err)
		}
		roles := map[string]int{}
		for _, n := range tree.Nodes {
			role, name := fmt.Sprint(n.Role.Value), fmt.Sprint(n.Name.Value)
			if n.Ignored {
				continue
			}
			roles[role]++
			named := []string{"link", "button", "slider", "image", "img", "figure", "region", "navigation", "columnheader", "rowheader", "heading", "DisclosureTriangle"}
			if slices.Contains(named, role) && (n.Name.Value == nil || strings.TrimSpace(name) == "") {
				t.Errorf("%s: a %s without a name", filepath.Base(file), role)
			}
		}
		for _, role := range []string{"main", "navigation", "banner", "heading", "table", "columnheader", "image"} {
			if roles[role] == 0 {
				t.Errorf("%s: no %s among %v", filepath.Base(file), role, roles)
			}
		}
		if n := eval[int](t, tab, `document.querySelectorAll('[role="group"]:not([aria-label]), figure:not([aria-label])').length`); n > 0 {
			t.Errorf("%s: %d groups without a name", filepath.Base(file), n)
		}
		levels := eval[[]int](t, tab, `[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1]))`)
		for i, n := range levels {
			if i == 0 && n != 1 || i > 0 && n > levels[i-1]+1 {
				t.Errorf("%s: headings %v", filepath.Base(file), levels)
				break
			}
		}
		if lang := eval[string](t, tab, `document.documentElement.lang`); lang != "en" {
			t.Errorf("%s: in %q", filepath.Base(file), lang)
		}
	}
}

// Text stands out from what is behind it (WCAG 2.2, AA: 4.5 to 1) in both schemes,
// and the pictures follow the scheme; print is always light.
func TestSchemes(t *testing.T) {
	_, made := start(t)
	tab := open(t, made.Report, "")
	const contrast = `(() => {
		const rgb = (c) => c.match(/[\d.]+/g).map(Number);
		const light = (c) => { const [r, g, b] = c.map((x) => { x /= 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
		const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
		const bad = new Set();
		for (const e of document.querySelectorAll('body *')) {
			if (!e.offsetParent || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
			const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
			const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			if (ratio < 4.5) bad.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
		}
		return [...bad];
	})()`
	pixels := `(() => { const c = document.querySelector('canvas'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let h = 0; for (const x of d) h = (h * 31 + x) | 0; return h; })()`
	seen := map[string]int{}
	for _, x := range []struct{ scheme, media string }{{"light", "screen"}, {"dark", "screen"}} {
		if err := tab.Scheme(x.scheme, x.media); err != nil {
			t.Fatal(err)
		}
		if bad := eval[[]string](t, tab, contrast); len(bad) > 0 {
			t.Errorf("%s: too little contrast: %q", x.scheme, bad)
		}
		seen[x.scheme] = eval[int](t, tab, pixels)
	}
	if seen["light"] == seen["dark"] {
		t.Error("the heatmap does not follow the scheme")
	}
	eval[bool](t, tab, `(dispatchEvent(new Event('beforeprint')), true)`)
	if light := eval[bool](t, tab, `matchMedia('(prefers-color-scheme: dark)').matches && getComputedStyle(document.body).backgroundColor === 'rgb(251, 251, 252)'`); !light {
		t.Error("it is not printed in light colours")
	}
	if w := eval[int](t, tab, `Math.max(...[...document.querySelectorAll('canvas')].map((c) => c.clientWidth))`); w > 700 {
		t.Errorf("a heatmap is printed %d wide: paper is not", w)
	}
	eval[bool](t, tab, `(dispatchEvent(new Event('afterprint')), true)`)
	if eval[int](t, tab, pixels) != seen["dark"] {
		t.Error("after printing the heatmap is not what it was")
	}
	var pdf struct{ Data []byte }
	if err := tab.Call("Page.printToPDF", map[string]any{"printBackground": true}, &pdf); err != nil || len(pdf.Data) < 10_000 {
		t.Errorf("printed: %d bytes, %v", len(pdf.Data), err)
	}
}

// On a narrow screen nothing but tables is wider than it.
func TestNarrow(t *testing.T) {
	_, made := start(t)
	for _, file := range []string{made.Report, made.Compare} {
		tab := open(t, file, "")
		if err := tab.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": false}, nil); err != nil {
			t.Fatal(err)
		}
		if err := tab.Scheme("light", "screen"); err != nil {
			t.Fatal(err)
		}
		if n := eval[int](t, tab, `document.documentElement.scrollWidth`); n > 400 {
			t.Errorf("%s is %d wide: %s", filepath.Base(file), n, eval[string](t, tab, `[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > 401 && !e.closest('.scroll, .u-wrap')).slice(0, 5).map((e) => e.tagName + '.' + e.className + ' ' + e.id).join(', ')`))
		}
	}
}
