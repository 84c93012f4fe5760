package pages

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "take the pictures anew")

// maxPicture is how large a picture of the documentation may be.
const maxPicture = 300_000

// pictures are those of the documentation: a part of a page, from the top of one
// element to the bottom of another, in a scheme.
var pictures = []struct {
	name, page, scheme, fragment, from, to string
	width                                  int
}{
	{"report-overview", "report", "light", "", "#overview", "#time .note", 1280},
	{"report-overview-dark", "report", "dark", "", "#overview", "#time .note", 1280},
	{"report-incident", "report", "light", "#incident-2", "#incident-2", "#incident-2", 1280},
	{"report-incident-dark", "report", "dark", "#incident-2", "#incident-2", "#incident-2", 1280},
	{"report-waterfall", "report", "light", "waiter", "#trace", "#trace", 1280},
	{"compare", "compare", "light", "", "#figures", "#time", 1280},
	{"compare-dark", "compare", "dark", "", "#figures", "#time", 1280},
}

// waiter finds a request that waited for another's lock.
const waiter = `(location.hash = [...document.querySelectorAll('#traces tbody tr')].find((r) => r.textContent.includes('monitor.wait')).querySelector('a').getAttribute('href'), new Promise((done) => setTimeout(() => done(true), 100)))`

// TestPictures holds the documentation's pictures to their size; with -update it
// takes them (make pictures).
func TestPictures(t *testing.T) {
	for _, p := range pictures {
		path := filepath.Join("pictures", p.name+".png")
		if *update {
			take(t, path, p.page, p.scheme, p.fragment, p.from, p.to, p.width)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if c, err := png.DecodeConfig(bytes.NewReader(b)); err != nil || len(b) > maxPicture || c.Width < 800 || c.Height < 200 {
			t.Errorf("%s: %d bytes, %d x %d, %v", path, len(b), c.Width, c.Height, err)
		}
	}
}

func take(t *testing.T, path, page, scheme, fragment, from, to string, width int) {
	t.Helper()
	_, made := start(t)
	file := map[string]string{"report": made.Report, "compare": made.Compare}[page]
	address := fragment
	if fragment == "waiter" {
		address = ""
	}
	tab := open(t, file, address)
	if err := tab.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil); err != nil {
		t.Fatal(err)
	}
	if fragment == "waiter" {
		eval[bool](t, tab, waiter)
	}
	// What stays at the top of the window would lie over the picture.
	eval[bool](t, tab, `(document.getElementById('top').style.position = 'static', document.activeElement.blur(), scrollTo(0, 0), true)`)
	if err := tab.Scheme(scheme, "screen"); err != nil {
		t.Fatal(err)
	}
	box := eval[struct{ X, Y, Width, Height float64 }](t, tab, `(() => {
		const from = document.querySelector('`+from+`').getBoundingClientRect(), to = document.querySelector('`+to+`').getBoundingClientRect();
		const x = Math.min(from.left, to.left) - 16, y = from.top + scrollY - 12;
		return { X: x, Y: y, Width: Math.max(from.right, to.right) - x + 16, Height: to.bottom + scrollY - y + 8 };
	})()`)
	b, err := tab.Picture(box.X, box.Y, box.Width, box.Height)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
