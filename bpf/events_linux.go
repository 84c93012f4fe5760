package bpf

// Which event each program stands on, and what it reads of it.

// System calls have a layout of their own: 8 bytes of common fields, the
// number, then 8 bytes an argument.
func sysEnter(call, program string, args ...string) tracepoint {
	t := tracepoint{group: "syscalls", name: "sys_enter_" + call, program: program}
	for i, name := range args {
		t.fields = append(t.fields, eventField{name: name, size: 8, at: uint32(16 + 8*i)})
	}
	return t
}

func sysExit(call string) tracepoint {
	return tracepoint{"syscalls", "sys_exit_" + call, "exit_write",
		[]eventField{{name: "ret", size: 8, at: 16}}}
}

var (
	// Exits first: an entry without its exit would leave a write under way, and
	// a thread remembered for good.
	writeEvents = []tracepoint{
		{"sched", "sched_process_exit", "thread_exit", nil},
		sysExit("write"), sysEnter("write", "enter_write", "fd", "buf", "count"),
	}
	// A kernel without one of these still shows what Kafka does today.
	positionedEvents = []tracepoint{
		sysExit("pwrite64"), sysEnter("pwrite64", "enter_pwrite64", "fd", "buf", "count", "pos"),
	}
	vectorEvents = []tracepoint{
		sysExit("writev"), sysEnter("writev", "enter_writev", "fd", "vec", "vlen"),
		sysExit("pwritev"), sysEnter("pwritev", "enter_pwritev", "fd", "vec", "vlen", "pos_l"),
	}

	dirtyInodeEvents = []tracepoint{
		{"writeback", "writeback_dirty_inode", "dirty_inode_end",
			[]eventField{{name: "ino", size: 8, knob: "dirty_end_ino"}}},
		{"writeback", "writeback_dirty_inode_start", "dirty_inode_start",
			[]eventField{{name: "ino", size: 8, knob: "dirty_start_ino"}}},
	}

	journalEvents = []tracepoint{
		journalEvent("jbd2_end_commit", "commit_end", PhaseEnd),
		journalEvent("jbd2_commit_logging", "commit_logging", PhaseLogging),
		journalEvent("jbd2_commit_flushing", "commit_flushing", PhaseFlushing),
		journalEvent("jbd2_commit_locking", "commit_locking", PhaseLocking),
		journalEvent("jbd2_start_commit", "commit_start", PhaseStart),
	}
)

func journalEvent(name, program string, phase Phase) tracepoint {
	return tracepoint{"jbd2", name, program, []eventField{
		{name: "dev", size: 4, knob: "journal_dev", index: int(phase)},
		{name: "transaction", size: 4, knob: "journal_transaction", index: int(phase)},
	}}
}
