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

// forget removes what is remembered of the threads of a process.
func (p *Probes) forget(tgid uint32) error {
	threads := p.shared.Maps[probesMapThreads]
	raw := make([]byte, threads.ValueSize())
	var tid uint32
	var gone []uint32
	entries := threads.Iterate()
	for entries.Next(&tid, &raw) {
		if le.Uint32(raw[threadTGID:]) == tgid {
			gone = append(gone, tid)
		}
	}
	for _, tid := range gone {
		if err := threads.Delete(tid); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("forget thread %d: %w", tid, err)
		}
	}
	if err := entries.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return fmt.Errorf("walk threads: %w", err)
	}
	return nil
}

// threadTGID is where struct thread of kern/thread.h has its process.
const threadTGID = 24 + 4

// WatchDevice lets through what the journal or the log of the file system on a
// device does; see [Device].
func (p *Probes) WatchDevice(dev uint32) error {
	if err := p.shared.Maps[probesMapDevices].Put(dev, uint8(1)); err != nil {
		return fmt.Errorf("watch device %d:%d: %w", dev>>20, dev&(1<<20-1), err)
	}
	return nil
}
