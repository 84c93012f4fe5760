package bpf

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// clock runs a program some times a second on every CPU, while that runs in the
// kernel: perf's software clock (kernel/events/core.c, perf_swevent_hrtimer).
// Each element is the perf event of a CPU, by which it is held.
type clock []int

// startClock leaves out CPUs that are offline, also where they come later.
func startClock(prog *ebpf.Program, rate int) (clock, error) {
	attr := unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_SOFTWARE,
		Config: unix.PERF_COUNT_SW_CPU_CLOCK,
		Size:   uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample: uint64(rate),
		Bits:   unix.PerfBitFreq | unix.PerfBitExcludeUser | unix.PerfBitExcludeIdle,
	}
	n, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("count CPUs: %w", err)
	}
	var c clock
	for cpu := range n {
		fd, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if errors.Is(err, unix.ENODEV) {
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open the clock of CPU %d: %w", cpu, err), c.Close())
		}
		c = append(c, fd)
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, prog.FD()); err != nil {
			return nil, errors.Join(fmt.Errorf("attach to the clock of CPU %d: %w", cpu, err), c.Close())
		}
	}
	return c, nil
}

func (c clock) Close() error {
	var err error
	for _, fd := range c {
		err = errors.Join(err, unix.Close(fd))
	}
	return err
}
