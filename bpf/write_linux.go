package bpf

import "slices"

// writeWays see write(2) and, where the kernel has them, the other calls of its
// kind: without these, too, what Kafka does today is seen. Exits come first: an
// entry without its exit would leave a write under way, and a thread remembered
// for good.
//
// Of the two that see system calls perf's tracepoints are the cheaper for a
// broker: BenchmarkBackend has them add 0.75 µs to a write and 55 ns to any other
// call of the host, tp_btf 0.2 to 0.65 µs and 165 ns; a broker under the demo's
// load makes 7.4 other calls a write, and other processes pay as well.
func (o *Options) writeWays() []way {
	return []way{
		{backend: Fentry, typed: true, trial: writesAreSeen, hooks: slices.Concat(
			programs("btf_thread_exit", "fexit_write", "fentry_write"), o.vectors(programs("fexit_writev", "fentry_writev")))},
		{backend: Tracepoint, trial: writesAreSeen, hooks: slices.Concat([]hook{
			{group: "sched", name: "sched_process_exit", program: "thread_exit"},
			sysExit("write", "exit_write"), sysEnter("write", "enter_write", "fd", "buf", "count"),
		}, optional(
			sysExit("pwrite64", "exit_write"), sysEnter("pwrite64", "enter_pwrite64", "fd", "buf", "count", "pos"),
		), o.vectors([]hook{
			sysExit("writev", "exit_write"), sysEnter("writev", "enter_writev", "fd", "vec", "vlen"),
			sysExit("pwritev", "exit_write"), sysEnter("pwritev", "enter_pwritev", "fd", "vec", "vlen", "pos_l"),
		}))},
		{backend: TpBTF, trial: writesAreSeen, hooks: programs("btf_thread_exit", "btf_sys_exit", "btf_sys_enter")},
		{backend: Kprobe, trial: writesAreSeen, hooks: slices.Concat(
			programs("btf_thread_exit", "kretprobe_write", "kprobe_write"), o.vectors(programs("kretprobe_writev", "kprobe_writev")))},
	}
}

func (o *Options) vectors(hooks []hook) []hook {
	if o.NoVectors {
		return nil
	}
	return optional(hooks...)
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

func sysExit(call, program string) hook {
	return hook{group: "syscalls", name: "sys_exit_" + call, program: program,
		fields: []eventField{{name: "ret", size: 8, at: 16}}}
}
