package doctor

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/rights"
)

// Options of Examine; the zero value looks at every broker of this host.
type Options struct {
	PID      int32  // only this process
	StateDir string // where run notes in which JVMs it has switched a flag; "": nowhere

	proc, sys string                               // "/proc", "/sys"
	release   string                               // the kernel's, and the machine
	uid       int                                  // ours
	held      *rights.Set                          // our capabilities
	open      func() (kernel, error)               // bpf.Open
	packets   func() error                         // opens and closes a packet socket
	flag      func(pid int32) (on bool, err error) // jvm.MonitorProbes
	canSwitch func(jvm.Process) error              // jvm.CanSwitch
	debts     func() ([]jvm.Debt, error)           // jvm.Ledger's
	ask       func(jvm.Process) error              // jvm.Askable
}

// kernel is what is needed of bpf.Probes.
type kernel interface {
	Status() []bpf.Subject
	AttachSites(pid int32, libjvm string, sites []bpf.USDTSite) (io.Closer, error)
	Close() error
}

func (o *Options) complete() {
	if o.proc == "" {
		o.proc, o.sys = "/proc", "/sys"
	}
	if o.held == nil {
		held, _ := rights.Held() // of a thread of our own it cannot fail
		o.held, o.uid, o.release = &held, os.Geteuid(), release()
	}
	if o.open == nil {
		o.open = func() (kernel, error) { return bpf.Open(bpf.Options{RingSize: 1 << 16}) }
	}
	if o.packets == nil {
		o.packets = openPacketSocket
	}
	if o.ask == nil {
		o.ask = func(p jvm.Process) error { return jvm.Askable(o.proc, p) }
	}
	if o.flag == nil {
		o.flag = func(pid int32) (bool, error) { return jvm.MonitorProbes(o.proc, pid) }
	}
	if o.canSwitch == nil {
		o.canSwitch = func(p jvm.Process) error { return jvm.CanSwitch(o.proc, p) }
	}
	if o.debts == nil {
		o.debts = o.noted
	}
}

// Examine looks at everything. It gathers, and judges nothing beyond the
// single check.
func Examine(o Options) Report {
	o.complete()
	found, err := o.brokers()
	h := examineHost(&o, found)
	if h.kernel != nil {
		defer h.kernel.Close()
	}
	switch {
	case err != nil:
		h.add(Check{Name: "broker", State: Missing, Detail: err.Error(), Fix: "name the broker's JVM by --pid"})
	case len(found) == 0:
		h.add(Check{Name: "broker", State: Missing, Detail: "no process of this host is a Kafka broker",
			Fix: "start the broker first; in a container, share its pid namespace; name an unusual main class by --pid"})
	}
	r := Report{Host: h.checks, Brokers: []Broker{}}
	for _, b := range found {
		r.Brokers = append(r.Brokers, examineBroker(&o, h, b))
	}
	ease(r.Host, r.Brokers)
	return r
}

func (o *Options) brokers() ([]jvm.Broker, error) {
	if o.PID == 0 {
		return jvm.Find(o.proc)
	}
	b, err := jvm.Inspect(o.proc, o.PID)
	switch {
	case errors.Is(err, jvm.ErrGone):
		return nil, fmt.Errorf("no process %d", o.PID)
	case err != nil:
		return nil, err
	}
	return []jvm.Broker{b}, nil
}
