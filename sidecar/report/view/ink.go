package view

import (
	"strings"
	"unicode/utf8"

	"github.com/tailspan/tailspan/sidecar/report"
)

// style is an ANSI rendition.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	alarm  style = "1;31"
	yellow style = "33"
	green  style = "32"
)

// Options are what the terminal can. The zero value draws 100 columns of UTF-8
// without colours, as many rows as it takes.
type Options struct {
	report.WaterfallOptions     // but for Resolve
	Rows                    int // at most; 0: any
}

// page is lines in the making, none wider than the terminal.
type page struct {
	o     Options
	lines []string
	line  strings.Builder
	used  int // columns of the line
}

// put adds text to the line; what does not fit is cut.
func (p *page) put(s style, text string) {
	text = p.fit(text)
	room := p.o.Width - p.used
	if n := utf8.RuneCountInString(text); n > room {
		text = string([]rune(text)[:room])
	}
	if text == "" {
		return
	}
	p.used += utf8.RuneCountInString(text)
	if !p.o.Color || s == plain {
		p.line.WriteString(text)
		return
	}
	p.line.WriteString("\x1b[" + string(s) + "m" + text + "\x1b[0m")
}

// right adds text that ends at a column.
func (p *page) right(s style, text string, column int) {
	if n := column - p.used - utf8.RuneCountInString(p.fit(text)); n > 0 {
		p.put(plain, strings.Repeat(" ", n))
	}
	p.put(s, text)
}

func (p *page) end() {
	p.lines = append(p.lines, strings.TrimRight(p.line.String(), " "))
	p.line.Reset()
	p.used = 0
}

// part is a phrase in its style.
type part struct {
	style style
	text  string
}

// parts adds phrases with dots between them, on as many lines as they take; lines
// after the first begin at a column.
func (p *page) parts(column int, all []part) {
	dot, first := p.fit(" · "), true
	for _, x := range all {
		n := utf8.RuneCountInString(p.fit(x.text))
		switch {
		case first:
		case p.used+len(dot)+n > p.o.Width && p.used > column:
			p.end()
			p.put(plain, strings.Repeat(" ", column))
		default:
			p.put(dim, dot)
		}
		p.put(x.style, x.text)
		first = false
	}
	p.end()
}

var asASCII = strings.NewReplacer(" · ", ", ", "→", "->", "µ", "u", "±", "+-", "…", "...", "≥", ">=")

// fit writes text as the terminal can: without UTF-8, only what is ASCII.
func (p *page) fit(s string) string {
	if !p.o.ASCII {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, asASCII.Replace(s))
}

// maxName bounds what is shown of a name from the wire.
const maxName = 80

// name is one from the wire, so that it cannot steer the terminal.
func name(s string) string {
	if len(s) > 4*maxName {
		s = s[:4*maxName]
	}
	s = report.Clean(s)
	if r := []rune(s); len(r) > maxName {
		return string(r[:maxName-1]) + "…"
	}
	return s
}
