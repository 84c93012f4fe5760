package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// Trace lets the records of a process through; pid is the host's number of it.
func (p *Probes) Trace(pid int32) error {
	if err := p.shared.Maps[probesMapTraced].Put(uint32(pid), uint8(1)); err != nil {
		return fmt.Errorf("trace process %d: %w", pid, err)
	}
	return nil
}

// Untrace ends what Trace began. It is no error if the process was not traced.
func (p *Probes) Untrace(pid int32) error {
	err := p.shared.Maps[probesMapTraced].Delete(uint32(pid))
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("untrace process %d: %w", pid, err)
	}
	return p.forget(uint32(pid))
}

// forget removes the writes of a process that never came to an end, for their
// threads were killed inside them.
func (p *Probes) forget(tgid uint32) error {
	writes := p.shared.Maps[probesMapWrites]
	raw := make([]byte, writes.ValueSize())
	var tid uint32
	var gone []uint32
	entries := writes.Iterate()
	for entries.Next(&tid, &raw) {
		if le.Uint32(raw[4:]) == tgid {
			gone = append(gone, tid)
		}
	}
	for _, tid := range gone {
		if err := writes.Delete(tid); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("forget write of thread %d: %w", tid, err)
		}
	}
	if err := entries.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return fmt.Errorf("walk pending writes: %w", err)
	}
	return nil
}

// WatchDevice lets the commits of the journal on a device through; see
// [Device].
func (p *Probes) WatchDevice(dev uint32) error {
	if err := p.shared.Maps[probesMapDevices].Put(dev, uint8(1)); err != nil {
		return fmt.Errorf("watch device %d:%d: %w", dev>>20, dev&(1<<20-1), err)
	}
	return nil
}
