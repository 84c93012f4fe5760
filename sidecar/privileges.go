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

// uprobes are what kernels ask for to attach uprobes and to tell programs of a
// process, the least first: uprobe_multi takes no more than its program; others
// take perf events, of older ones each a program, some CAP_SYS_ADMIN for it.
var uprobes = []rights.Set{0, rights.Load, rights.Load | rights.Of(unix.CAP_SYS_ADMIN)}

// giveUp keeps of all capabilities those that brokers are taken up with, and
// does so before the first one is: what comes later comes in the same way.
// Packets, probes and recording are open by then.
func (l *live) giveUp() {
	keep := l.toAttach()
	if l.config.ThreadNames {
		keep |= rights.Ask
	}
	left, err := rights.GiveUp(keep)
	if err != nil {
		l.log.Warn("capabilities that are not needed any more are kept", "error", err)
		return
	}
	l.log.Info("gave up the capabilities that are not needed any more", "kept", left)
}

// toAttach tries with how little a broker can be taken up.
func (l *live) toAttach() rights.Set {
	held, err := rights.Held()
	if l.kernel == nil || err != nil {
		return rights.Attach
	}
	can := l.attachOwn() == nil // else it takes no rights
	for _, more := range uprobes {
		keep := rights.Attach | more
		err := rights.Without(held&^keep, func() error {
			if err := errors.Join(l.kernel.Trace(nobody), l.kernel.Untrace(nobody)); err != nil || !can {
				return err
			}
			return l.attachOwn()
		})
		if err == nil {
			return keep
		}
		l.log.Debug("more is needed to attach", "than", keep, "error", err)
	}
	return rights.Attach | uprobes[len(uprobes)-1]
}

const nobody = 0 // the pid of what runs when nothing does

// attachOwn puts a uprobe on a function of our own that nobody calls, and takes
// it off again.
func (l *live) attachOwn() error {
	site, err := ownSite()
	if err != nil {
		return err
	}
	c, err := l.kernel.AttachSites(int32(os.Getpid()), "/proc/self/exe", []bpf.USDTSite{site})
	if err != nil {
		return err
	}
	return c.Close()
}

// uncalled is where the trial uprobe goes.
//
//go:noinline
func uncalled() { fmt.Fprintln(os.Stderr) }

// ownSite describes uncalled as a probe site, by its place in the file.
func ownSite() (bpf.USDTSite, error) {
	return siteAt("monitor__contended__exit", uint64(reflect.ValueOf(uncalled).Pointer()))
}

// siteAt describes the code at an address of our own as a probe's site, by its
// place in the file; all arguments are 0.
func siteAt(probe string, at uint64) (bpf.USDTSite, error) {
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
			return bpf.USDTSite{Probe: probe, FileOffset: at - from + offset, Args: []bpf.USDTArg{arg, arg, arg, arg}}, nil
		}
	}
	return bpf.USDTSite{}, errors.New("our own code is in no mapping")
}
