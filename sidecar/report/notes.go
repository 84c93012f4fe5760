package report

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// maxListed bounds what is listed of partitions, holders and links.
const maxListed = 4

// hue is the colour of a kind of span.
func hue(name string) style {
	switch {
	case strings.HasPrefix(name, spans.NameProduce):
		return bold
	case name == spans.NameMonitorWait, name == spans.NameLockHold:
		return yellow
	case name == spans.NameWrite, name == spans.NameBrokerWrite:
		return blue
	case name == spans.NameExt4DirtyInode, name == spans.NameOtherDirtyInode:
		return purple
	case strings.HasPrefix(name, spans.PrefixJBD2), name == spans.NameJournalCommit:
		return red
	case name == spans.NameReplication:
		return cyan
	case strings.HasPrefix(name, spans.NameAppend):
		return plain
	}
	return green
}

// about is what the header says of a root.
func about(root *spans.Span) (parts []string) {
	a := root.Attributes
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if host := text(a, spans.KeyClientAddress); host != "" {
		client := "client " + host + ":" + itoa(number(a, spans.KeyClientPort))
		if id := text(a, spans.KeyClientID); id != "" {
			client += " " + clean(id)
		}
		add(client)
	}
	add(places(strs(a, spans.KeyPartitions), nums(a, spans.KeyBaseOffsets)))
	if n := number(a, spans.KeyBatchCount); n > 0 {
		add(itoa(n) + " records, " + size(number(a, spans.KeyBodySize)))
	}
	if _, ok := find(a, spans.KeyAcks); ok {
		add("acks " + itoa(number(a, spans.KeyAcks)))
	}
	if truth(a, spans.KeyDuplicate) {
		add("a duplicate: nothing was written")
	}
	add(list("message", strs(a, spans.KeyMessageIDs)))
	add(own(root))
	return parts
}

// places are partitions with the offsets that their batches got.
func places(partitions []string, offsets []int64) string {
	var all []string
	for i, p := range partitions {
		if i < len(offsets) && offsets[i] >= 0 {
			p += " @ " + itoa(offsets[i])
		}
		all = append(all, p)
	}
	return list("", all)
}

func list(what string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	shown := make([]string, 0, maxListed+1)
	for i, s := range items {
		if i == maxListed {
			shown = append(shown, "and "+itoa(int64(len(items)-i))+" more")
			break
		}
		shown = append(shown, clean(s))
	}
	return strings.TrimSpace(what + " " + strings.Join(shown, ", "))
}

// notes writes what matters of a span below it: what it was about, and what
// it links to.
func (p *picture) notes(r *row) {
	tree := p.tree(r, false)
	if r.open {
		tree += p.glyphs.rail
	} else {
		tree += p.glyphs.blank
	}
	if r.depth > 0 {
		if parts := p.facts(r.span); len(parts) > 0 {
			p.parts(dim, tree, "", parts)
		}
	}
	for i, l := range r.span.Links {
		if i == maxListed {
			p.parts(dim, tree, "", []string{"and " + itoa(int64(len(r.span.Links)-i)) + " more links"})
			break
		}
		p.parts(plain, tree, p.glyphs.arrow+" ", p.destination(l))
	}
}

// facts are the attributes of a span that are worth a line.
func (p *picture) facts(s *spans.Span) (parts []string) {
	a := s.Attributes
	if f := text(a, spans.KeyFile); f != "" {
		parts = append(parts, clean(f)+" +"+itoa(number(a, spans.KeyOffset))+", "+size(number(a, spans.KeyBytes)))
	}
	if o := own(s); o != "" {
		parts = append(parts, o)
	}
	if n := text(a, spans.KeyThreadName); n != "" {
		parts = append(parts, thread(clean(n), int32(number(a, spans.KeyThreadID))))
	}
	if s.Name == spans.NameMonitorWait {
		parts = append(parts, p.waited(a)...)
	}
	return parts
}

// own is what only one kind of span has.
func own(s *spans.Span) string {
	a := s.Attributes
	switch {
	case s.Name == spans.NameJBD2Commit || s.Name == spans.NameJournalCommit:
		out := "transaction " + itoa(number(a, spans.KeyTransaction)) + " on " + clean(text(a, spans.KeyDevice))
		if phase := text(a, spans.KeyPhase); phase != "" {
			out += ", " + clean(phase)
		}
		if n := number(a, spans.KeyHeld); n > 0 {
			out += ", held up " + itoa(n) + " ext4_dirty_inode"
		}
		return out
	case s.Name == spans.NameExt4DirtyInode || s.Name == spans.NameOtherDirtyInode:
		return "inode " + itoa(number(a, spans.KeyInode))
	case s.Name == spans.NameLockHold:
		return "monitor " + clean(text(a, spans.KeyMonitorAddress))
	}
	return ""
}

// waited says which lock, and who held it for how long.
func (p *picture) waited(a []attribute.KeyValue) (parts []string) {
	lock := text(a, spans.KeyMonitorClass)
	if l := text(a, spans.KeyMonitorLock); l != "" {
		lock = "the log of " + l
	}
	if lock != "" {
		parts = append(parts, "waits for "+clean(lock))
	}
	names, tids, shares := strs(a, spans.KeyHolderThreads), nums(a, spans.KeyHolderTIDs), nums(a, spans.KeyHolderShares)
	if len(names) == 0 {
		return append(parts, "holder not seen")
	}
	for i := range min(len(names), len(tids), len(shares)) {
		word := "then by "
		if i == 0 {
			word = "held by "
		}
		if i == maxListed {
			return append(parts, "and "+itoa(int64(len(names)-i))+" more")
		}
		parts = append(parts, word+thread(clean(names[i]), int32(tids[i]))+" "+p.duration(shares[i]))
	}
	return parts
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
	case spans.LinkHolderWait:
		return "what the lock's holder itself waited for"
	case spans.LinkHolder:
		return "what held the lock"
	case spans.LinkDuplicate:
		return "who wrote this batch first"
	case "":
		return "link"
	}
	return clean(kind)
}

func linkKind(l spans.Link) string { return text(l.Attributes, spans.KeyLinkKind) }

func find(attrs []attribute.KeyValue, key string) (attribute.Value, bool) {
	for i := range attrs {
		if string(attrs[i].Key) == key {
			return attrs[i].Value, true
		}
	}
	return attribute.Value{}, false
}

func text(a []attribute.KeyValue, key string) string {
	v, _ := find(a, key)
	return v.AsString()
}

func number(a []attribute.KeyValue, key string) int64 {
	v, _ := find(a, key)
	return v.AsInt64()
}

func truth(a []attribute.KeyValue, key string) bool {
	v, _ := find(a, key)
	return v.AsBool()
}

func strs(a []attribute.KeyValue, key string) []string {
	v, _ := find(a, key)
	return v.AsStringSlice()
}

func nums(a []attribute.KeyValue, key string) []int64 {
	v, _ := find(a, key)
	return v.AsInt64Slice()
}
