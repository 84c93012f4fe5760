package sidecar

import "github.com/tailspan/tailspan/bpf"

// ownedBy says which file system's a subject is; others are of all.
var ownedBy = map[string]string{
	bpf.SubjectJournal: "ext4", bpf.SubjectHandleWait: "ext4", bpf.SubjectFastCommit: "ext4",
	bpf.SubjectCommitOrigin: "ext4", bpf.SubjectCommitStats: "ext4",
	bpf.SubjectLogGrant: "xfs", bpf.SubjectLogForce: "xfs",
}

// warnMissing tells once of, and counts, each probe that is not to be had: of a file system's
// when the first broker is met that keeps its log on one, of all others ("") at
// the start. Those in a JVM are each broker's own.
func (l *live) warnMissing(fileSystem string) {
	if l.missing[fileSystem] {
		return
	}
	if l.missing == nil {
		l.missing = map[string]bool{}
	}
	l.missing[fileSystem] = true
	for _, sub := range l.kernel.Status() {
		if sub.Err != nil && !bpf.PerProcess(sub.Name) && ownedBy[sub.Name] == fileSystem {
			l.absent.Add(1)
			l.log.Warn("a probe is not to be had here; the rest goes on", "probe", sub.Name, "error", sub.Err)
		}
	}
}
