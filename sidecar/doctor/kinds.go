package doctor

import (
	"slices"
	"strings"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/spans"
)

// kind is a kind of span that the kernel's probes show.
type kind struct {
	span    string
	subject string              // what it is made of
	with    []addition          // what else it says
	absent  func(LogDir) string // why a log dir's file system has none; "" if it has
	other   string              // what stands for it on other file systems, with
	by      []string            // these backends
	watched bool                // it is seen only on the devices of known log dirs
	named   bool                // it is of use only with the names of kernel functions
}

// addition is what another subject adds to a span.
type addition struct{ subject, says string }

// kinds are all of them, in the order in which they are told.
var kinds = []kind{
	{span: spans.NameWrite, subject: bpf.SubjectWrite,
		with: []addition{{bpf.SubjectWake, "whose it is"}, {bpf.SubjectOffCPU, "CPU, sleep and run-queue time"}}},
	{span: spans.NameKernelWait, subject: bpf.SubjectOffCPU, named: true},
	{span: "samples", subject: bpf.SubjectSample, named: true},
	{span: spans.NamePark, subject: bpf.SubjectPark},
	{span: spans.NameFsync, subject: bpf.SubjectFsync},
	{span: spans.NameExt4DirtyInode, subject: bpf.SubjectDirtyInode, absent: notExt4,
		other: spans.NameOtherDirtyInode, by: []string{bpf.TpBTF, bpf.RawTP, bpf.Tracepoint}},
	{span: spans.NameJBD2Commit, subject: bpf.SubjectJournal, absent: notJournaled, watched: true,
		with: []addition{{bpf.SubjectCommitOrigin, "who asked for it"}, {bpf.SubjectCommitStats, "what it did"}}},
	{span: spans.NameHandleWait, subject: bpf.SubjectHandleWait, absent: notJournaled},
	{span: spans.NameFastCommit, subject: bpf.SubjectFastCommit, absent: notFastCommitting, watched: true},
	{span: spans.NameLogGrant, subject: bpf.SubjectLogGrant, absent: notXFS},
	{span: spans.NameLogForce, subject: bpf.SubjectLogForce, absent: notXFS, watched: true},
	{span: spans.NameBlockIO, subject: bpf.SubjectBlockIO, absent: notOnDisk, watched: true},
}

func notExt4(d LogDir) string {
	if d.Kind != "ext4" && d.Kind != "ext3" {
		return "not on " + d.Kind
	}
	return ""
}

func notJournaled(d LogDir) string {
	if why := notExt4(d); why != "" {
		return why
	}
	if d.Journal == nil {
		return "no journal to wait for"
	}
	return ""
}

func notFastCommitting(d LogDir) string {
	if why := notJournaled(d); why != "" {
		return why
	}
	if fast := d.Journal.FastCommit; fast != nil && !*fast {
		return "not with this journal: fast_commit is off"
	}
	return ""
}

func notXFS(d LogDir) string {
	if d.Kind != "xfs" {
		return "not on " + d.Kind
	}
	return ""
}

// notOnDisk: devices of major 0 are the kernel's own (tmpfs, overlay, btrfs).
func notOnDisk(d LogDir) string {
	if strings.HasPrefix(d.Device, "0:") {
		return "no disk is known below " + d.Kind
	}
	return ""
}

// asksFor says whether the span is made of a subject, or says more by it.
func (k kind) asksFor(subject string) bool {
	return k.subject == subject || slices.ContainsFunc(k.with, func(a addition) bool { return a.subject == subject })
}

// shownAs is what stands for the span on file systems that have none.
func (k kind) shownAs(backend string) string {
	if k.other == "" || !slices.Contains(k.by, backend) {
		return ""
	}
	return "; its counterpart is shown, as " + k.other
}
