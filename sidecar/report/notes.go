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
	if offset, ok := find(a, spans.KeyBaseOffset); ok { // an append without a request
		add("base offset " + itoa(offset.AsInt64()))
	}
	if n := number(a, spans.KeyBatchCount); n > 0 {
		add(itoa(n) + " records, " + size(number(a, spans.KeyBodySize)))
	}
	if _, ok := find(a, spans.KeyAcks); ok {
		add("acks " + itoa(number(a, spans.KeyAcks)))
	}
	if truth(a, spans.KeyDuplicate) {
		add("a duplicate: nothing was written")
	}
	if n := number(a, spans.KeyLostRecords); n > 0 {
		add(itoa(n) + " records lost")
	}
	if ms := number(a, spans.KeyThrottle); ms > 0 {
		add("throttles its client for " + itoa(ms) + "ms")
	}
	add(list("refused", strs(a, spans.KeyErrors)))
	add(list("message", strs(a, spans.KeyMessageIDs)))
	if truth(a, spans.KeyHeadersCut) {
		add("not all record headers were read")
	}
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
	p.links(tree, r.span)
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
	case s.Name == spans.NameReplication:
		if f, ok := find(a, spans.KeyFollower); ok {
			return "waits for follower " + itoa(f.AsInt64())
		}
		return clean(text(a, spans.KeyReplication))
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
