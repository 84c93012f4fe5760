package sidecar

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"reflect"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/rights"
)

// giveUp keeps of all capabilities those that brokers are attached with, and
// does so before the first one is: what is attached later is attached in the
// same way. Packets, probes and recording are open by then.
func (l *live) giveUp() {
	keep := rights.Attach
	if l.uprobesNeedAdmin() {
		keep |= rights.Of(unix.CAP_SYS_ADMIN)
	}
	left, err := rights.GiveUp(keep)
	if err != nil {
		l.log.Warn("capabilities that are not needed any more are kept", "error", err)
		return
	}
	l.log.Info("gave up the capabilities that are not needed any more", "kept", left)
}

// uprobesNeedAdmin tries it, with a probe on a function of our own that nobody
// calls: some kernels want CAP_SYS_ADMIN for the uprobes of perf events.
func (l *live) uprobesNeedAdmin() bool {
	admin := rights.Of(unix.CAP_SYS_ADMIN)
	if held, err := rights.Held(); l.kernel == nil || err != nil || !held.Has(admin) {
		return false
	}
	site, err := ownSite()
	if err != nil {
		l.log.Debug("no site for a trial uprobe", "error", err)
		return true
	}
	attach := func() error {
		c, err := l.kernel.AttachMonitors(int32(os.Getpid()), "/proc/self/exe", []bpf.USDTSite{site})
		if err != nil {
			return err
		}
		return c.Close()
	}
	return rights.Without(admin, attach) != nil && attach() == nil
}

// uncalled is where the trial uprobe goes.
//
//go:noinline
func uncalled() { fmt.Fprintln(os.Stderr) }

// ownSite describes uncalled as a probe site, by its place in the file.
func ownSite() (bpf.USDTSite, error) {
	at := uint64(reflect.ValueOf(uncalled).Pointer())
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return bpf.USDTSite{}, err
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to, offset uint64
		var mode string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s %x", &from, &to, &mode, &offset); n == 4 && from <= at && at < to {
			zero := int64(0)
			arg := bpf.USDTArg{Size: 8, Const: &zero}
			return bpf.USDTSite{Probe: "monitor__contended__exit", FileOffset: at - from + offset, Args: []bpf.USDTArg{arg, arg}}, nil
		}
	}
	return bpf.USDTSite{}, errors.New("our own code is in no mapping")
}
