package report

import (
	"cmp"
	"io"
	"slices"
	"time"

	"github.com/tailspan/tailspan/spans"
)

const (
	defaultWidth = 100
	minWidth     = 60

	maxRows     = 48 // spans drawn of one trace: the longest
	maxSections = 8  // linked traces drawn below
	maxHops     = 3  // links followed from the trace itself
	maxDepth    = 16 // of a tree of spans
)

// WaterfallOptions of Waterfall. The zero value draws 100 columns of UTF-8
// without colours; TerminalOptions fits a terminal.
type WaterfallOptions struct {
	Width    int
	Color    bool
	ASCII    bool
	Location *time.Location // nil: time.Local

	// Resolve finds a trace that a link leads to, nil if it is not at hand.
	// Linked traces are drawn below, on the same time axis.
	Resolve func(spans.TraceID) *spans.Trace
}

// Waterfall draws a trace: a line a span, with a bar on a time axis that is
// heavy where the time is the span's own and light where its children have it.
func Waterfall(w io.Writer, t *spans.Trace, o WaterfallOptions) error {
	if len(t.Spans) == 0 {
		return nil
	}
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	o.Width = max(o.Width, minWidth)
	p := &picture{o: o, glyphs: utf8Glyphs}
	if o.ASCII {
		p.glyphs = asciiGlyphs
	}
	p.collect(t)
	p.layout()
	p.draw()
	if o.ASCII {
		p.b = appendASCII(nil, p.b)
	}
	_, err := w.Write(p.b)
	return err
}

// picture is a waterfall in the making.
type picture struct {
	o        WaterfallOptions
	glyphs   *glyphs
	sections []*section // the trace itself, then what it links to
	names    int        // width of the column of names
	axis     axis
	b        []byte
}

// section is one trace in the picture.
type section struct {
	label  string // A, B, …; "" the trace itself
	trace  *spans.Trace
	kind   string // of that link
	target spans.SpanID
	hops   int
	rows   []row
	hidden int // spans not drawn
}

// row is one span of a section, in the order of drawing.
type row struct {
	span  *spans.Span
	depth int
	last  bool   // of its siblings
	rails []bool // for each depth above: a line goes on below
	kids  []*spans.Span
	open  bool // some of its children are drawn below it
}

// collect finds the traces to draw, breadth first.
func (p *picture) collect(t *spans.Trace) {
	p.sections = []*section{{trace: t}}
	for i := 0; i < len(p.sections); i++ {
		s := p.sections[i]
		s.arrange()
		if p.o.Resolve == nil || s.hops == maxHops {
			continue
		}
		for j := range s.rows {
			p.follow(s, s.rows[j].span)
		}
	}
}

func (p *picture) follow(s *section, from *spans.Span) {
	for _, l := range from.Links {
		if len(p.sections) > maxSections || p.section(l.Trace) != nil {
			continue
		}
		t := p.o.Resolve(l.Trace)
		if t == nil || len(t.Spans) == 0 {
			continue
		}
		p.sections = append(p.sections, &section{
			label: string(rune('A' + len(p.sections) - 1)),
			trace: t, kind: linkKind(l), target: l.Span, hops: s.hops + 1,
		})
	}
}

// section is the one of a trace, nil if it is not drawn.
func (p *picture) section(id spans.TraceID) *section {
	for _, s := range p.sections {
		if s.trace.ID == id {
			return s
		}
	}
	return nil
}

// arrange orders the spans as a tree. Of a linked trace only what leads to the
// span in question, and what is below that, is drawn.
func (s *section) arrange() {
	kids := map[spans.SpanID][]*spans.Span{}
	for i := range s.trace.Spans[1:] {
		c := &s.trace.Spans[1+i]
		kids[c.Parent] = append(kids[c.Parent], c)
	}
	for _, k := range kids {
		slices.SortStableFunc(k, func(a, b *spans.Span) int { return cmp.Compare(a.Start, b.Start) })
	}
	drawn := s.drawn()
	s.hidden = len(s.trace.Spans) - len(drawn)
	var walk func(of *spans.Span, depth int, last bool, rails []bool)
	walk = func(of *spans.Span, depth int, last bool, rails []bool) {
		visible := slices.DeleteFunc(slices.Clone(kids[of.ID]), func(c *spans.Span) bool { return !drawn[c.ID] })
		if depth == maxDepth {
			s.hidden += len(visible)
			visible = nil
		}
		s.rows = append(s.rows, row{span: of, depth: depth, last: last, rails: rails, kids: kids[of.ID], open: len(visible) > 0})
		below := rails
		if depth > 0 {
			below = append(slices.Clip(rails), !last)
		}
		for i, c := range visible {
			walk(c, depth+1, i == len(visible)-1, below)
		}
	}
	walk(s.trace.Root(), 0, true, nil)
}

// drawn chooses the spans to draw; with a span its parents are.
func (s *section) drawn() map[spans.SpanID]bool {
	all := s.trace.Spans
	parent := make(map[spans.SpanID]spans.SpanID, len(all))
	for i := range all {
		parent[all[i].ID] = all[i].Parent
	}
	order := make([]*spans.Span, 0, len(all))
	for i := range all {
		if s.target.IsZero() || related(parent, all[i].ID, s.target) || related(parent, s.target, all[i].ID) {
			order = append(order, &all[i])
		}
	}
	slices.SortStableFunc(order, func(a, b *spans.Span) int { return cmp.Compare(b.End-b.Start, a.End-a.Start) })
	drawn := map[spans.SpanID]bool{all[0].ID: true}
	for _, c := range order {
		if len(drawn) >= maxRows {
			break
		}
		for id := c.ID; !id.IsZero() && !drawn[id]; id = parent[id] {
			drawn[id] = true
		}
	}
	return drawn
}

// related says that a is b or below it.
func related(parent map[spans.SpanID]spans.SpanID, a, b spans.SpanID) bool {
	for range len(parent) + 1 {
		switch {
		case a == b:
			return true
		case a.IsZero():
			return false
		}
		a = parent[a]
	}
	return false
}
