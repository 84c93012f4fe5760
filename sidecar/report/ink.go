package report

import (
	"strings"
	"unicode/utf8"
)

// put adds text in a style.
func (p *picture) put(s style, text string) {
	if text == "" {
		return
	}
	if !p.o.Color || s == plain {
		p.b = append(p.b, text...)
		return
	}
	p.b = append(p.b, "\x1b["...)
	p.b = append(p.b, s...)
	p.b = append(p.b, 'm')
	p.b = append(p.b, text...)
	p.b = append(p.b, "\x1b[0m"...)
}

func (p *picture) blanks(n int) { p.b = appendBlanks(p.b, n) }

// newline ends a line, without the blanks at its end.
func (p *picture) newline() {
	for len(p.b) > 0 && p.b[len(p.b)-1] == ' ' {
		p.b = p.b[:len(p.b)-1]
	}
	p.b = append(p.b, '\n')
}

// parts writes parts with dots between them, on as many lines as they need.
// Each line begins with the tree, and the lines after the first are indented.
func (p *picture) parts(s style, tree, lead string, parts []string) {
	room := p.o.Width - utf8.RuneCountInString(tree+lead)
	dot := p.glyphs.dot
	for line := lead; len(parts) > 0; line = strings.Repeat(" ", utf8.RuneCountInString(lead)) {
		n, used := 1, utf8.RuneCountInString(parts[0])
		for n < len(parts) && used+utf8.RuneCountInString(dot+parts[n]) <= room {
			used += utf8.RuneCountInString(dot + parts[n])
			n++
		}
		p.put(dim, tree)
		p.put(s, line+strings.Join(parts[:n], dot))
		p.newline()
		parts = parts[n:]
	}
}

func (p *picture) duration(ns int64) string { return p.units(duration(ns)) }

// units writes µ as the terminal can.
func (p *picture) units(s string) string { return strings.Replace(s, "µ", p.glyphs.micro, 1) }
