package report

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// own is what only one kind of span has.
func own(s *spans.Span) []string {
	a := s.Attributes
	switch s.Name {
	case spans.NameJBD2Commit, spans.NameJournalCommit:
		return commit(a)
	case spans.NameHandleWait, spans.NameFastCommit:
		return []string{on(a)}
	case spans.NameLogGrant:
		return []string{"for room in the log of " + clean(text(a, spans.KeyDevice))}
	case spans.NameLogForce:
		return []string{"of " + clean(text(a, spans.KeyDevice))}
	case spans.NameBlockIO:
		return []string{clean(text(a, spans.KeyOp)) + " of " + size(number(a, spans.KeyIOSize)) +
			" at sector " + itoa(number(a, spans.KeySector)) + " of " + clean(text(a, spans.KeyDisk))}
	case spans.NameExt4DirtyInode, spans.NameOtherDirtyInode:
		return []string{"inode " + itoa(number(a, spans.KeyInode))}
	case spans.NameKernelWait:
		return []string{"waits: " + clean(text(a, spans.KeyReason))}
	case spans.NameGC:
		if truth(a, spans.KeyFullGC) {
			return []string{"all Java threads stood still for a full GC"}
		}
		return []string{"all Java threads stood still for a GC"}
	case spans.NameVMOperation:
		return []string{"all Java threads stood still: " + clean(text(a, spans.KeyVMOperation))}
	case spans.NameLockHold:
		return []string{"monitor " + clean(text(a, spans.KeyMonitorAddress))}
	case spans.NameReplication:
		if f, ok := find(a, spans.KeyFollower); ok {
			return []string{"waits for follower " + itoa(f.AsInt64())}
		}
		if why := text(a, spans.KeyReplication); why != "" {
			return []string{clean(why)}
		}
	}
	return nil
}

// on is a transaction, where it is known, and the journal's device.
func on(a []attribute.KeyValue) string {
	d := clean(text(a, spans.KeyDevice))
	if n, ok := find(a, spans.KeyTransaction); ok {
		return "transaction " + itoa(n.AsInt64()) + " on " + d
	}
	return "on " + d
}

// by is the thread of a span.
func by(a []attribute.KeyValue) string {
	n := text(a, spans.KeyThreadName)
	if n == "" {
		return ""
	}
	return thread(clean(n), int32(number(a, spans.KeyThreadID)))
}

// origins say why a commit began.
var origins = map[string]string{
	"interval": "begun when its interval was over", "fsync": "begun for an fsync",
	"sync": "begun for a sync", "space": "begun for want of space in the journal",
}

// commit says which one it was, why it began and what it was like.
func commit(a []attribute.KeyValue) []string {
	which := on(a)
	if phase := text(a, spans.KeyPhase); phase != "" {
		which += ", " + clean(phase)
	}
	if n := number(a, spans.KeyHeld); n > 0 {
		which += ", held up " + itoa(n) + " ext4_dirty_inode"
	}
	parts := []string{which}
	if why := origins[text(a, spans.KeyOrigin)]; why != "" {
		if n := by(a); n != "" {
			why += " by " + n
		}
		parts = append(parts, why)
	}
	if n := number(a, spans.KeyHandles); n > 0 {
		parts = append(parts, itoa(n)+" handles, "+itoa(number(a, spans.KeyLogged))+" blocks logged")
	}
	if n := number(a, spans.KeyJournalSize); n > 0 {
		parts = append(parts, itoa(number(a, spans.KeyJournalFree))+" of "+itoa(n)+" blocks of the journal free")
	}
	return parts
}
