package bpf

// What is seen of a thread inside a write or an fsync: its stays off the CPU,
// and where it runs.

const (
	defaultSampleRate = 49 // not in step with what ticks by tens
	maxSampleRate     = 1000
)

// Perf's event does not name the task, whose own members say more; without BTF
// neither way loads. A bare tracepoint (raw_tp) is nowhere to be had where the
// typed one is not, for both need BTF to look into a task.
var offCPUWays = []way{
	{backend: TpBTF, typed: true, hooks: programs("wake_thread", "switch_threads")},
	{backend: Tracepoint, hooks: []hook{
		{group: "sched", name: "sched_wakeup", program: "wake_thread_event",
			fields: []eventField{{name: "pid", size: 4, knob: "wakeup_pid"}}},
		{group: "sched", name: "sched_switch", program: "switch_threads_event", fields: []eventField{
			{name: "prev_state", size: 8, knob: "switch_state"},
			{name: "next_pid", size: 4, knob: "switch_next"}}},
	}},
}

func (o *Options) sampleWays() []way {
	return []way{{backend: PerfEvent, typed: true, hooks: []hook{{program: "sample", rate: o.sampleRate()}}}}
}

func (o *Options) sampleRate() int {
	if o.SampleRate == 0 {
		return defaultSampleRate
	}
	return min(o.SampleRate, maxSampleRate)
}
