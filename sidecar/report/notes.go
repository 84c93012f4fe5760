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
	case name == spans.NameMonitorWait, name == spans.NamePark, name == spans.NameLockHold, name == spans.NameGC, name == spans.NameVMOperation:
		return yellow
	case name == spans.NameWrite, name == spans.NameBrokerWrite, name == spans.NameFsync, name == spans.NameBrokerFsync:
		return blue
	case name == spans.NameExt4DirtyInode, name == spans.NameOtherDirtyInode:
		return purple
	case strings.HasPrefix(name, spans.PrefixJBD2), name == spans.NameJournalCommit, name == spans.NameFastCommit,
		name == spans.NameLogGrant, name == spans.NameLogForce:
		return red
	case name == spans.NameReplication, name == spans.NameBlockIO:
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
	if n := number(a, spans.KeyBlockedRequests); n > 0 {
		add("held up " + itoa(n) + " requests")
	}
	if truth(a, spans.KeyUnwatched) {
		add("lock waits were not watched")
	}
	add(list("refused", strs(a, spans.KeyErrors)))
	add(list("message", strs(a, spans.KeyMessageIDs)))
	if truth(a, spans.KeyHeadersCut) {
		add("not all record headers were read")
	}
	return append(parts, own(root)...)
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
		f = clean(f)
		if offset, ok := find(a, spans.KeyOffset); ok {
			f += " +" + itoa(offset.AsInt64()) + ", " + size(number(a, spans.KeyBytes))
		}
		parts = append(parts, f)
	}
	parts = append(parts, own(s)...)
	if on, ok := find(a, spans.KeyOnCPU); ok {
		parts = append(parts, "on CPU "+p.duration(on.AsInt64())+", asleep "+p.duration(number(a, spans.KeySleep))+
			", without a CPU "+p.duration(number(a, spans.KeyRunQueue)))
	}
	if n := by(a); n != "" {
		parts = append(parts, n)
	}
	if s.Name == spans.NamePark {
		parts = append(parts, woken(a))
	}
	if s.Name == spans.NameMonitorWait {
		parts = append(parts, p.waited(a)...)
	}
	return parts
}

// woken says who let a thread go on.
func woken(a []attribute.KeyValue) string {
	if tid := number(a, spans.KeyWakerID); tid != 0 {
		return "woken by " + thread(clean(text(a, spans.KeyWaker)), int32(tid))
	}
	return "who woke it was not seen"
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
