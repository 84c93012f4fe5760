package tailspan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// started are all processes that were, whoever waits for their end.
var started struct {
	mu  sync.Mutex
	all []*Sidecar
}

// Audited says what is wrong with the account of any tailspan that was started and
// has ended. A TestMain asks for it after its tests, so that none can forget to.
func Audited() (err error) {
	started.mu.Lock()
	defer started.mu.Unlock()
	for _, s := range started.all {
		if !s.Alive() {
			err = errors.Join(err, s.Audit())
		}
	}
	return err
}

// audit holds a process that ended by itself, or in order, to its account: every
// one balances, and after the last no request is pending, but what was left on
// disk.
func (s *Sidecar) audit() error {
	if !s.accountable() {
		return nil
	}
	log, err := s.Output()
	if err != nil {
		return err
	}
	all, err := Accounts(log)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return ErrNoAccount
	}
	for i := range all {
		if err := all[i].Balanced(); err != nil {
			return err
		}
	}
	last := &all[len(all)-1]
	if last.Pending > 0 && !has(s.args, "--queue-dir") {
		return fmt.Errorf("%w: %+v", ErrPending, *last)
	}
	s.account = last
	return nil
}

// tracing are the commands that see requests.
var tracing = []string{"run", "record", "replay", "report", "compare"}

// accountable says whether it traced, and ended well.
func (s *Sidecar) accountable() bool {
	traces := slices.ContainsFunc(s.args, func(a string) bool { return slices.Contains(tracing, a) })
	return traces && s.ExitCode() == Done
}

// has says whether a flag is there, with its value behind it or after a "=".
func has(args []string, flag string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		name, _, _ := strings.Cut("--"+strings.TrimLeft(a, "-"), "=")
		return strings.HasPrefix(a, "-") && name == flag
	})
}

// watch audits the process once it has ended.
func (s *Sidecar) watch() {
	started.mu.Lock()
	started.all = append(started.all, s)
	started.mu.Unlock()
	go func() {
		defer close(s.audited)
		<-s.Done()
		if err := s.audit(); err != nil {
			s.wrong = fmt.Errorf("tailspan: %w, see %s", err, s.Log)
		}
	}()
}

// Audit waits for the process to have ended, and says whether its account is
// right.
func (s *Sidecar) Audit() error {
	<-s.audited
	return s.wrong
}

// Account is the last that the process gave; nil: it has not ended yet, or ended
// in a way that leaves none.
func (s *Sidecar) Account() *Account {
	select {
	case <-s.audited:
		return s.account
	default:
		return nil
	}
}
