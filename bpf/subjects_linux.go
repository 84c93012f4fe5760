package bpf

import "slices"

// The subjects, and for each the ways to it, the best first.

func (o *Options) subjects() []subject {
	all := slices.Concat([]subject{
		{SubjectWrite, o.writeWays()},
		{SubjectDirtyInode, dirtyInodeWays},
		{SubjectJournal, journalWays},
	}, journalSubjects(), []subject{
		{SubjectOffCPU, offCPUWays},
		{SubjectBlockIO, blockWays},
		{SubjectPark, parkWays},
		{SubjectSample, o.sampleWays()},
	})
	return slices.DeleteFunc(all, func(s subject) bool {
		return o.see != nil && !slices.Contains(o.see, s.name) || s.name == SubjectSample && o.SampleRate < 0 || s.name == SubjectPark && o.NoParks
	})
}

// programs are hooks that say themselves what they are attached to.
func programs(names ...string) []hook {
	var hooks []hook
	for _, n := range names {
		hooks = append(hooks, hook{program: n})
	}
	return hooks
}

// optional marks hooks without which a way still works.
func optional(hooks ...hook) []hook {
	for i := range hooks {
		hooks[i].optional = true
	}
	return hooks
}

var dirtyInodeWays = []way{
	{backend: Fentry, typed: true, hooks: programs("fexit_dirty_inode", "fentry_dirty_inode")},
	{backend: TpBTF, typed: true, hooks: programs("btf_dirty_inode_end", "btf_dirty_inode_start")},
	{backend: Tracepoint, hooks: []hook{
		{group: "writeback", name: "writeback_dirty_inode", program: "dirty_inode_end"},
		{group: "writeback", name: "writeback_dirty_inode_start", program: "dirty_inode_start",
			fields: []eventField{{name: "ino", size: 8, knob: "dirty_start_ino"}}},
	}},
	{backend: Kprobe, hooks: programs("kretprobe_dirty_inode", "kprobe_dirty_inode")},
}

// journalWays: the function has a start and an end, its tracepoints the phases
// between them. The first of those is a little later than the start, the last a
// little earlier than the end.
var journalWays = []way{
	{backend: Fentry, typed: true, hooks: programs("fexit_commit", "btf_commit_logging",
		"btf_commit_flushing", "btf_commit_locking", "fentry_commit")},
	{backend: TpBTF, typed: true, hooks: programs("btf_commit_end", "btf_commit_logging",
		"btf_commit_flushing", "btf_commit_locking", "btf_commit_start")},
	{backend: Tracepoint, hooks: []hook{
		journalEvent("jbd2_end_commit", "commit_end", PhaseEnd),
		journalEvent("jbd2_commit_logging", "commit_logging", PhaseLogging),
		journalEvent("jbd2_commit_flushing", "commit_flushing", PhaseFlushing),
		journalEvent("jbd2_commit_locking", "commit_locking", PhaseLocking),
		journalEvent("jbd2_start_commit", "commit_start", PhaseStart),
	}},
	{backend: Kprobe, hooks: programs("kretprobe_commit", "kprobe_commit")},
}

func journalEvent(name, program string, phase Phase) hook {
	return hook{group: "jbd2", name: name, program: program, fields: []eventField{
		{name: "dev", size: 4, knob: "journal_dev", index: int(phase)},
		{name: "transaction", size: 4, knob: "journal_transaction", index: int(phase)},
	}}
}
