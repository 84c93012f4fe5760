package bpf

import "slices"

// The subjects, and for each the ways to it, the best first.

func (o *Options) subjects() []subject {
	return []subject{
		{SubjectWrite, o.writeWays()},
		{SubjectDirtyInode, dirtyInodeWays},
		{SubjectJournal, journalWays},
	}
}

// System calls have a layout of their own: 8 bytes of common fields, the
// number, then 8 bytes an argument.
func sysEnter(call, program string, args ...string) hook {
	h := hook{group: "syscalls", name: "sys_enter_" + call, program: program}
	for i, name := range args {
		h.fields = append(h.fields, eventField{name: name, size: 8, at: uint32(16 + 8*i)})
	}
	return h
}

func sysExit(call string) hook {
	return hook{group: "syscalls", name: "sys_exit_" + call, program: "exit_write",
		fields: []eventField{{name: "ret", size: 8, at: 16}}}
}

// optional marks hooks without which a way still works.
func optional(hooks ...hook) []hook {
	for i := range hooks {
		hooks[i].optional = true
	}
	return hooks
}

// writeWays see write(2), and what else the kernel has of its kind: without
// these, too, what Kafka does today is seen.
func (o *Options) writeWays() []way {
	also := optional(sysExit("pwrite64"), sysEnter("pwrite64", "enter_pwrite64", "fd", "buf", "count", "pos"))
	if !o.NoVectors {
		also = slices.Concat(also, optional(
			sysExit("writev"), sysEnter("writev", "enter_writev", "fd", "vec", "vlen"),
			sysExit("pwritev"), sysEnter("pwritev", "enter_pwritev", "fd", "vec", "vlen", "pos_l")))
	}
	// Exits first: an entry without its exit would leave a write under way, and
	// a thread remembered for good.
	return []way{{Tracepoint, slices.Concat([]hook{
		{group: "sched", name: "sched_process_exit", program: "thread_exit"},
		sysExit("write"), sysEnter("write", "enter_write", "fd", "buf", "count"),
	}, also)}}
}

var (
	dirtyInodeWays = []way{{Tracepoint, []hook{
		{group: "writeback", name: "writeback_dirty_inode", program: "dirty_inode_end",
			fields: []eventField{{name: "ino", size: 8, knob: "dirty_end_ino"}}},
		{group: "writeback", name: "writeback_dirty_inode_start", program: "dirty_inode_start",
			fields: []eventField{{name: "ino", size: 8, knob: "dirty_start_ino"}}},
	}}}

	journalWays = []way{{Tracepoint, []hook{
		journalEvent("jbd2_end_commit", "commit_end", PhaseEnd),
		journalEvent("jbd2_commit_logging", "commit_logging", PhaseLogging),
		journalEvent("jbd2_commit_flushing", "commit_flushing", PhaseFlushing),
		journalEvent("jbd2_commit_locking", "commit_locking", PhaseLocking),
		journalEvent("jbd2_start_commit", "commit_start", PhaseStart),
	}}}
)

func journalEvent(name, program string, phase Phase) hook {
	return hook{group: "jbd2", name: name, program: program, fields: []eventField{
		{name: "dev", size: 4, knob: "journal_dev", index: int(phase)},
		{name: "transaction", size: 4, knob: "journal_transaction", index: int(phase)},
	}}
}
