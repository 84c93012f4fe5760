package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"
)

//go:embed assets/*.js assets/*.css assets/vendor/*.js assets/vendor/*.css assets/vendor/*.LICENSE
var assets embed.FS

// license goes with each copy of uPlot.
const license = "vendor/uPlot.LICENSE"

// The parts of a page's script and style, in their order.
var (
	vendored = []string{license, "vendor/uPlot.iife.min.js"}
	scripts  = map[string][]string{
		"report": {"dom.js", "format.js", "table.js", "colors.js", "panels.js", "summary.js",
			"incidents.js", "lanes.js", "waterfall.js", "report.js"},
		"compare": {"dom.js", "format.js", "table.js", "colors.js", "panels.js", "intervals.js", "compare.js"},
	}
	styles = []string{"vendor/uPlot.min.css", "page.css"}
)

// asset joins files. They are part of the program, so they are there.
func asset(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		text, err := assets.ReadFile("assets/" + name)
		if err != nil {
			panic(err)
		}
		if name == license {
			text = fmt.Appendf(nil, "/* uPlot:\n%s*/", text)
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.String()
}

// hash is a source of a Content-Security-Policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// policy is the script's and style's of a page: there are no others.
func policy(script, style string) string {
	return "default-src 'none'; script-src " + hash(script) + "; style-src " + hash(style) + "; img-src data:; base-uri 'none'; form-action 'none'"
}

const frame = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>%s</title>
<style>%s</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header id="top"></header>
<main id="main" tabindex="-1"><noscript><p>This page draws itself: it needs JavaScript, and loads nothing from anywhere. The same figures come from <code>tailspan replay --print requests</code>.</p></noscript></main>
<script type="application/json" id="data">%s</script>
<script>%s</script>
</body>
</html>
`

// write makes the file. JSON as Go marshals it has no <, > or & that could end
// its element, nor a line separator that a script could not hold.
func write(w io.Writer, kind, title string, data any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(true)
	if err := e.Encode(data); err != nil {
		return fmt.Errorf("encode the page's data: %w", err)
	}
	script, style := parts(kind)
	if _, err := fmt.Fprintf(w, frame, policy(script, style), html.EscapeString(title), style, bytes.TrimSpace(b.Bytes()), script); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// parts are the script and the style of a page. In a function the script's names
// are its own, and not the window's.
func parts(kind string) (script, style string) {
	return asset(vendored...) + "(() => {\n" + asset(scripts[kind]...) + "})();\n", asset(styles...)
}

// Policy is the Content-Security-Policy that a server may send with a report: the
// one that stands in it.
func Policy() string { return policy(parts("report")) }

// WritePage writes the page of what is known by now.
func (c *Collector) WritePage(w io.Writer, version string) error {
	return c.Page(version).Write(w)
}

// Write writes the page as one HTML file that needs nothing else.
func (p *Page) Write(w io.Writer) error {
	names := make([]string, len(p.Sources))
	for i, s := range p.Sources {
		names[i] = s.Name
	}
	return write(w, "report", strings.TrimSpace("Tailspan report "+cut(strings.Join(names, ", "), maxText)), p)
}
