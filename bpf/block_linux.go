package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

var blockWays = []way{
	{backend: TpBTF, typed: true, hooks: []hook{{program: "block_complete"}, {program: "block_issue", prepare: findRequest}}},
	{backend: Tracepoint, hooks: []hook{
		{group: "block", name: "block_rq_complete", program: "block_complete_event", fields: []eventField{
			{name: "dev", size: 4, knob: "complete_dev"},
			{name: "sector", size: 8, knob: "complete_sector"},
			{name: "nr_sector", size: 4, knob: "complete_sectors"},
			{name: "error", size: 4, knob: "complete_error"}}},
		{group: "block", name: "block_rq_issue", program: "block_issue_event", fields: []eventField{
			{name: "dev", size: 4, knob: "issue_dev"},
			{name: "sector", size: 8, knob: "issue_sector"},
			{name: "bytes", size: 4, knob: "issue_bytes"},
			{name: "rwbs", knob: "issue_rwbs"}}},
	}},
}

// findRequest tells spec which argument of block_rq_issue the request is.
func findRequest(spec *ebpf.CollectionSpec) error {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return fmt.Errorf("read BTF: %w", err)
	}
	var event *btf.Typedef
	if err := kernel.TypeByName("btf_trace_block_rq_issue", &event); err != nil {
		return fmt.Errorf("find block_rq_issue in BTF: %w", err)
	}
	for i, param := range parameters(event) {
		if pointer, ok := param.Type.(*btf.Pointer); ok && pointer.Target.TypeName() == "request" {
			return spec.Variables[probesVarIssueRequest].Set(uint32(i - 1)) // the first one is perf's own
		}
	}
	return fmt.Errorf("%w: block_rq_issue has no request", ErrLayout)
}

// parameters of a type that points to functions.
func parameters(t *btf.Typedef) []btf.FuncParam {
	if pointer, ok := t.Type.(*btf.Pointer); ok {
		if proto, ok := pointer.Target.(*btf.FuncProto); ok {
			return proto.Params
		}
	}
	return nil
}

// WatchDisk lets the requests to a disk through: the whole disk, of which a
// file system's device may be a partition. What sits above other disks and has
// no requests of its own (device-mapper, md) shows nothing.
func (p *Probes) WatchDisk(dev uint32) error {
	if err := p.shared.Maps[probesMapDisks].Put(dev, uint8(1)); err != nil {
		return fmt.Errorf("watch disk %d:%d: %w", dev>>20, dev&(1<<20-1), err)
	}
	return nil
}
