package report

import "github.com/tailspan/tailspan/spans"

// links writes where a span's links lead to: a line each, but one for all producers.
func (p *picture) links(tree string, s *spans.Span) {
	listed := 0
	for _, l := range s.Links {
		if linkKind(l) == spans.LinkProducer {
			continue
		}
		if listed++; listed <= maxListed {
			p.parts(plain, tree, p.glyphs.arrow+" ", p.destination(l))
		}
	}
	if n := listed - maxListed; n > 0 {
		p.parts(dim, tree, "", []string{"and " + itoa(int64(n)) + " more links"})
	}
	if parts := producers(s); len(parts) > 0 {
		p.parts(plain, tree, p.glyphs.arrow+" ", parts)
	}
}

// producers are the contexts that the records came with: the first, and how
// many there are.
func producers(s *spans.Span) []string {
	n, first := number(s.Attributes, spans.KeyContextsOmitted), ""
	for _, l := range s.Links {
		if linkKind(l) != spans.LinkProducer {
			continue
		}
		if n++; first == "" {
			first = "trace " + l.Trace.String()
		}
	}
	switch {
	case first == "":
		return nil
	case n == 1:
		return []string{meaning(spans.LinkProducer), first}
	}
	return []string{meaning(spans.LinkProducer), first, "and " + itoa(n-1) + " more contexts"}
}

// destination is what a link leads to: a trace drawn below, or an id.
func (p *picture) destination(l spans.Link) []string {
	s := p.section(l.Trace)
	switch {
	case s == nil:
		return []string{meaning(linkKind(l)), "trace " + l.Trace.String()}
	case s.label == "":
		return []string{meaning(linkKind(l)), "in this trace"}
	}
	return []string{s.label + ": " + meaning(linkKind(l))}
}

// meaning is what a kind of link leads to.
func meaning(kind string) string {
	switch kind {
	case spans.LinkCommit:
		return "the commit that held it up"
	case spans.LinkHolderWrite:
		return "what the lock's holder wrote meanwhile"
	case spans.LinkHolderFsync:
		return "what the lock's holder synced meanwhile"
	case spans.LinkLogForce:
		return "the log force that held it up"
	case spans.LinkOrigin:
		return "what had it begun"
	case spans.LinkHolderWait:
		return "what the lock's holder itself waited for"
	case spans.LinkHolder:
		return "what held the lock"
	case spans.LinkDuplicate:
		return "who wrote this batch first"
	case spans.LinkPipelined:
		return "the request before it on its connection"
	case spans.LinkProducer:
		return "the producer of its records"
	case "":
		return "link"
	}
	return clean(kind)
}

func linkKind(l spans.Link) string { return text(l.Attributes, spans.KeyLinkKind) }
