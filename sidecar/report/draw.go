package report

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailspan/tailspan/spans"
)

const (
	durationWidth = 9 // with the sign of what is inferred
	gutter        = 1
)

// layout divides the width: names, durations, bars.
func (p *picture) layout() {
	for _, s := range p.sections {
		for i := range s.rows {
			r := &s.rows[i]
			p.names = max(p.names, 3*r.depth+utf8.RuneCountInString(clean(r.span.Name)))
		}
	}
	p.names = min(p.names, p.o.Width/2-durationWidth)
	p.axis = newAxis(p.sections, p.o.Width-p.names-durationWidth-2*gutter-1)
}

func (p *picture) draw() {
	p.header()
	p.ruler()
	for _, s := range p.sections {
		if s.label != "" {
			p.title(s)
		}
		for i := range s.rows {
			p.row(&s.rows[i])
		}
		if s.hidden > 0 && s.target.IsZero() {
			p.put(dim, itoa(int64(s.hidden))+" shorter spans are not drawn")
			p.newline()
		}
	}
	p.legend()
}

// header says what the picture is of.
func (p *picture) header() {
	t, root := p.sections[0].trace, p.sections[0].trace.Root()
	loc := p.o.Location
	if loc == nil {
		loc = time.Local
	}
	p.put(bold, clean(root.Name))
	p.put(plain, " took ")
	p.put(bold, p.duration(root.End-root.Start))
	p.put(plain, blame(root))
	p.newline()
	if root.Error != "" {
		p.put(red, "error: "+clean(root.Error))
		p.newline()
	}
	at := time.Unix(0, root.Start).In(loc).Format("2006-01-02 " + clockFormat)
	p.parts(dim, "", "", append([]string{at, "trace " + t.ID.String()}, about(root)...))
	p.newline()
}

// blame is what took most of the time, as the trace itself says.
func blame(root *spans.Span) string {
	cause, rootCause := text(root.Attributes, spans.KeyCause), text(root.Attributes, spans.KeyRootCause)
	if cause == "" {
		return ""
	}
	out := ", most of it in " + clean(cause)
	if rootCause != "" && rootCause != cause {
		out += ", because of " + clean(rootCause)
	}
	if reason := text(root.Attributes, spans.KeyReason); reason != "" {
		out += " (" + clean(reason) + ")"
	}
	return out
}

// ruler draws the axis with its labels.
func (p *picture) ruler() {
	a := &p.axis
	labels := []rune(strings.Repeat(" ", a.cells))
	rule := make([]string, a.cells)
	for i := range rule {
		rule[i] = p.glyphs.rule
	}
	free := 0
	first := a.lo / a.step * a.step
	for t := first; t <= a.hi; t += a.step {
		cell := min(a.half(a.origin+t)/2, a.cells-1)
		if t < a.lo {
			continue
		}
		rule[cell] = p.glyphs.tick
		label := []rune(p.units(a.label(t)))
		if cell >= free && cell+len(label) <= a.cells {
			copy(labels[cell:], label)
			free = cell + len(label) + 1
		}
	}
	left := p.names + durationWidth + 2*gutter
	p.blanks(left)
	p.put(dim, strings.TrimRight(string(labels), " "))
	p.newline()
	p.blanks(left)
	p.put(dim, strings.Join(rule, ""))
	p.newline()
}

// title introduces a linked trace.
func (p *picture) title(s *section) {
	p.newline()
	p.parts(bold, "", s.label+"  ", []string{meaning(s.kind), "trace " + s.trace.ID.String()})
}

func (p *picture) row(r *row) {
	color := hue(r.span.Name)
	tree := p.tree(r, true)
	p.put(dim, tree)
	name := []rune(clean(r.span.Name))
	if room := p.names - 3*r.depth; len(name) > room {
		name = append(name[:max(room-1, 0)], '~')
	}
	p.put(color, string(name))
	p.blanks(p.names - 3*r.depth - len(name) + gutter)
	took := p.duration(r.span.End - r.span.Start)
	if text(r.span.Attributes, spans.KeyJoin) == "inferred" {
		took = p.glyphs.almost + took
	}
	p.blanks(durationWidth - utf8.RuneCountInString(took))
	p.put(plain, took)
	p.blanks(gutter)
	p.bar(r, color)
	p.newline()
	p.notes(r)
}

// tree is what stands before a name, or before the notes below it.
func (p *picture) tree(r *row, own bool) string {
	var b strings.Builder
	for _, goesOn := range r.rails {
		if goesOn {
			b.WriteString(p.glyphs.rail)
		} else {
			b.WriteString(p.glyphs.blank)
		}
	}
	switch {
	case r.depth == 0:
	case own && r.last:
		b.WriteString(p.glyphs.end)
	case own:
		b.WriteString(p.glyphs.tee)
	case r.last:
		b.WriteString(p.glyphs.blank)
	default:
		b.WriteString(p.glyphs.rail)
	}
	return b.String()
}

func (p *picture) bar(r *row, color style) {
	bar := p.axis.bar(r.span, r.kids)
	left, right := p.axis.cut(r.span)
	cells := make([]string, p.axis.cells)
	styles := make([]style, p.axis.cells)
	end := 0
	for i := range cells {
		l, r := bar[2*i], bar[2*i+1]
		cells[i], styles[i] = p.glyphs.bar[l][r], color
		if l != heavy && r != heavy {
			styles[i] = dim
		}
		if l != empty || r != empty {
			end = i + 1
		}
	}
	if left {
		cells[0] = p.glyphs.before
	}
	if right {
		cells[end-1] = p.glyphs.after
	}
	for i := 0; i < end; {
		j := i + 1
		for j < end && styles[j] == styles[i] {
			j++
		}
		p.put(styles[i], strings.Join(cells[i:j], ""))
		i = j
	}
}

func (p *picture) legend() {
	p.blanks(p.names + durationWidth + 2*gutter)
	heavy, light := p.glyphs.bar[heavy][heavy], p.glyphs.bar[light][light]
	p.put(dim, heavy+heavy+" its own time  "+light+light+" in the steps below it")
	p.newline()
}
