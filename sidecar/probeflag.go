package sidecar

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"

	"github.com/tailspan/tailspan/jvm"
)

// probeFlags are the JVMs whose probe flag this run has switched on, because
// it was asked to (--enable-monitor-probes). The flag goes on before the probes
// are attached and off before they are detached: whatever ends the run, what it
// wrote is the first thing that it undoes.
type probeFlags struct {
	log    *slog.Logger
	ledger jvm.Ledger
	asked  bool

	mu     sync.Mutex // held while a byte is written: ms
	loans  map[jvm.Process]*jvm.Loan
	closed bool
}

func (l *live) newProbeFlags() *probeFlags {
	return &probeFlags{log: l.log, asked: l.config.MonitorProbes, loans: map[jvm.Process]*jvm.Loan{},
		ledger: jvm.Ledger{Dir: l.config.StateDir, Proc: procRoot, Who: fmt.Sprintf("tailspan %s, pid %d", l.version, os.Getpid())}}
}

// repair puts back what runs that were killed have left switched on, asked or
// not: it is owed.
func (f *probeFlags) repair() {
	paid, err := f.ledger.Repair()
	for _, d := range paid {
		f.log.Warn("a JVM's monitor probes, left switched on by a run that was killed, are off again", "pid", d.PID, "by", d.Who, "since", d.Since)
	}
	if err != nil {
		f.log.Error("not all that may be owed to JVMs could be put back; nothing was written to these", "dir", f.ledger.Dir, "error", err)
	}
}

// fires says whether a JVM fires its monitor probes, after switching them on
// where this was asked for.
func (f *probeFlags) fires(p jvm.Process) (bool, error) {
	if f.asked {
		err := f.enable(p)
		if err == nil {
			return true, nil
		}
		f.log.Warn("the JVM's monitor probes could not be switched on", "pid", p.PID, "error", err,
			"do", "start the broker with KAFKA_OPTS=-XX:+DTraceMonitorProbes; `tailspan doctor` says more")
	}
	if f.lent(p) {
		return false, nil
	}
	return jvm.MonitorProbes(procRoot, p.PID)
}

// lent says whether another Tailspan has switched the flag on: with its end it goes
// off, and who does not ask for the flag is not asked.
func (f *probeFlags) lent(p jvm.Process) bool {
	debts, err := f.ledger.Debts()
	if err != nil {
		f.log.Debug("whether the JVM's flag is another Tailspan's is not known", "pid", p.PID, "error", err)
	}
	return slices.ContainsFunc(debts, func(d jvm.Debt) bool { return d.Process == p })
}

// Nothing is logged while mu is held: a log that nobody reads would keep the flags
// on.
func (f *probeFlags) enable(p jvm.Process) error {
	loan, err := f.switchOn(p)
	if loan != nil && loan.Owed() {
		f.log.Info("switched the JVM's monitor probes on; they are switched off at the end", "pid", p.PID, "noted_in", f.ledger.Dir)
	}
	return err
}

// switchOn: nil, nil is for a JVM whose flag is on by us already.
func (f *probeFlags) switchOn(p jvm.Process) (*jvm.Loan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errors.New("the run is ending")
	}
	if f.loans[p] != nil {
		return nil, nil
	}
	loan, err := f.ledger.SwitchOn(p)
	if err != nil {
		return nil, err
	}
	f.loans[p] = loan
	return loan, nil
}

// release puts one back: the JVM has ended, or its probes do not attach.
func (f *probeFlags) release(p jvm.Process) {
	for _, say := range f.putAllBack(func(x jvm.Process) bool { return x == p }) {
		say()
	}
}

// close puts all back, and only then says so. Every way in which a run ends
// comes by here, some twice; nothing is switched on afterwards.
func (f *probeFlags) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for _, say := range f.putAllBack(func(jvm.Process) bool { return true }) {
		say()
	}
}

func (f *probeFlags) putAllBack(of func(jvm.Process) bool) (said []func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p, loan := range f.loans {
		if of(p) {
			delete(f.loans, p)
			said = append(said, f.putBack(loan))
		}
	}
	return said
}

func (f *probeFlags) putBack(loan *jvm.Loan) (say func()) {
	done, err := loan.PutBack()
	return func() {
		switch {
		case err != nil:
			f.log.Error("the JVM's monitor probes could not be switched off; the next run tries again", "pid", loan.PID, "error", err)
		case done:
			f.log.Info("switched the JVM's monitor probes off again", "pid", loan.PID)
		}
	}
}
