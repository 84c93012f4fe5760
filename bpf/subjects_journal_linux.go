package bpf

import "slices"

// journalSubjects are what a file system's journal is doing, and who waits for
// it; nothing of it depends on another.
func journalSubjects() []subject {
	return []subject{
		{SubjectFsync, fsyncWays()},
		{SubjectHandleWait, handleWaitWays()},
		{SubjectCommitOrigin, commitOriginWays},
		{SubjectCommitStats, commitStatsWays},
		{SubjectFastCommit, fastCommitWays()},
		{SubjectLogGrant, logGrantWays},
		{SubjectLogForce, logForceWays},
	}
}

// fsyncWays: the system calls know no file of msync(2), which ext4 names; ext4's
// own events know ext4. Ends come before starts, here as everywhere.
func fsyncWays() []way {
	var calls []hook
	for _, call := range []string{"fsync", "fdatasync", "msync"} {
		calls = append(calls, sysExit(call, "exit_fsync"))
	}
	calls = append(calls, sysEnter("fsync", "enter_fsync", "fd"), sysEnter("fdatasync", "enter_fdatasync", "fd"),
		sysEnter("msync", "enter_msync", "start", "len", "flags"))
	return slices.Concat(
		fsyncFunctions(way{backend: Fentry, typed: true}, "fexit_", "fentry_"),
		[]way{
			{backend: Tracepoint, hooks: slices.Concat(calls, optional(programs("name_ext4_fsync")...))},
			{backend: TpBTF, typed: true, hooks: programs("btf_fsync_end", "btf_fsync_start")},
		},
		fsyncFunctions(way{backend: Kprobe}, "kretprobe_", "kprobe_"))
}

// fsyncFunctions: the one of all file systems, those of the two that brokers use,
// or of the one that there is. The function of a module without BTF is had by
// kprobe alone.
func fsyncFunctions(like way, end, start string) []way {
	const all, ext4, xfs = "vfs_fsync_range", "ext4_sync_file", "xfs_file_fsync"
	of := func(functions ...string) way {
		w := like
		for _, f := range functions {
			w.hooks = append(w.hooks, programs(end+f, start+f)...)
		}
		return w
	}
	general, mixed := of(all), of(ext4)
	general.trial = fsyncsAreSeen
	mixed.hooks, mixed.typed = append(mixed.hooks, programs("kretprobe_"+xfs, "kprobe_"+xfs)...), false
	alone := of(ext4) // and it is told that XFS's are not seen
	alone.hooks = append(alone.hooks, optional(programs(end+xfs, start+xfs)...)...)
	return []way{general, of(ext4, xfs), mixed, alone, of(xfs)}
}

// handleWaitWays: the events' names have changed in Linux 6.2.
func handleWaitWays() []way {
	have := hook{group: "jbd2", name: "jbd2_handle_start", program: "have_handle", fields: []eventField{
		{name: "dev", size: 4, knob: "handle_dev"}, {name: "tid", size: 4, knob: "handle_tid"}}}
	ask := func(name string) hook { return hook{group: "ext4", name: name, program: "ask_handle"} }
	return []way{
		{backend: Fentry, typed: true, hooks: programs(
			"fexit_wait_locked", "fentry_wait_locked", "fexit_wait_space", "fentry_wait_space")},
		{backend: TpBTF, hooks: programs("btf_have_handle", "btf_ask_handle_sb", "btf_ask_handle_inode")},
		{backend: TpBTF, hooks: programs("btf_have_handle", "btf_ask_handle")},
		{backend: Tracepoint, hooks: []hook{have, ask("ext4_journal_start_sb"), ask("ext4_journal_start_inode")}},
		{backend: Tracepoint, hooks: []hook{have, ask("ext4_journal_start")}},
		{backend: Kprobe, hooks: programs(
			"kretprobe_wait_locked", "kprobe_wait_locked", "kretprobe_wait_space", "kprobe_wait_space")},
	}
}

// commitOriginWays: who asks is seen asking; else it is searched for among those
// who can have asked, which a program can since 5.13; else it is known whether
// the interval was over.
var commitOriginWays = []way{
	{backend: Fentry, typed: true, hooks: slices.Concat(programs("origin_found", "fentry_ask_commit"), forcerHooks)},
	{backend: Fentry, typed: true, hooks: slices.Concat(programs("origin_seen", "fentry_ask_commit"), forcerHooks)},
	{backend: TpBTF, typed: true, hooks: slices.Concat(programs("origin_found"), forcerHooks)},
	{backend: TpBTF, typed: true, hooks: programs("origin_seen")},
}

var forcerHooks = programs("forcer_done", "forcer_fsync", "forcer_sync")

var commitStatsWays = []way{
	{backend: TpBTF, typed: true, hooks: programs("btf_commit_stats")},
	{backend: Tracepoint, hooks: []hook{{group: "jbd2", name: "jbd2_run_stats", program: "commit_stats", fields: statsFields()}}},
}

var logGrantWays = []way{
	{backend: TpBTF, hooks: programs("btf_grant_wake", "btf_grant_sleep")},
	{backend: Tracepoint, hooks: []hook{
		{group: "xfs", name: "xfs_log_grant_wake", program: "grant_wake"},
		{group: "xfs", name: "xfs_log_grant_sleep", program: "grant_sleep"},
	}},
}

// logForceWays: the tracepoint has no end, so without functions there is nothing
// to see.
var logForceWays = []way{
	{backend: Fentry, typed: true, hooks: programs("fexit_log_force", "fexit_log_force_seq",
		"fentry_log_force", "fentry_log_force_seq")},
	{backend: Kprobe, hooks: programs("kretprobe_log_force", "kretprobe_log_force_seq",
		"kprobe_log_force", "kprobe_log_force_seq")},
	{backend: Kprobe, hooks: programs("kretprobe_log_force", "kretprobe_log_force_seq",
		"kprobe_log_force_inside", "kprobe_log_force_seq_inside")},
	{backend: Kprobe, hooks: programs("kretprobe_log_force", "kretprobe_log_force_lsn",
		"kprobe_log_force_inside", "kprobe_log_force_lsn")},
}

// statsFields are in the order of the enum of kern/stats.h.
func statsFields() []eventField {
	var fields []eventField
	for i, name := range []string{"dev", "tid", "wait", "request_delay", "running", "locked", "flushing", "logging",
		"handle_count", "blocks", "blocks_logged"} {
		f := eventField{name: name, size: 4, knob: "run_stats", index: i}
		if i >= 2 && i < 8 {
			f.size = 8 // an unsigned long
		}
		fields = append(fields, f)
	}
	return fields
}

// fastCommitWays: the events say the transaction since Linux 6.1.
func fastCommitWays() []way {
	start := hook{group: "ext4", name: "ext4_fc_commit_start", program: "fast_start",
		fields: []eventField{{name: "dev", size: 4, knob: "fast_start_dev"}}}
	stop := hook{group: "ext4", name: "ext4_fc_commit_stop", program: "fast_stop", fields: []eventField{
		{name: "dev", size: 4, knob: "fast_stop_dev"}, {name: "nblks", size: 4, knob: "fast_nblks"},
		{name: "reason", size: 4, knob: "fast_reason"}}}
	stopTID := stop
	stopTID.fields = append(slices.Clone(stop.fields), eventField{name: "tid", size: 4, knob: "fast_tid"})
	return []way{
		{backend: TpBTF, typed: true, hooks: programs("btf_fast_stop", "btf_fast_start")},
		{backend: TpBTF, typed: true, hooks: programs("btf_fast_stop_before_6_1", "btf_fast_start")},
		{backend: Tracepoint, hooks: []hook{stopTID, start}},
		{backend: Tracepoint, hooks: []hook{stop, start}},
	}
}
