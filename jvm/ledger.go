package jvm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Ledger is a directory that says to which running JVMs it is owed to put
// their probe flag back. A file a JVM stands there from before its flag is
// written until after it was put back; whoever uses the flag holds a shared
// lock on the file, which ends with his process, however that ends. So a file
// without a lock is a debt that was left behind, and the last of several users
// is the one who pays. All changes are made under a lock of the directory's.
type Ledger struct {
	Dir  string // made where it is not there; nobody else may write to it
	Proc string // root of the proc file system
	Who  string // who switches, for people
}

// Loan is the probe flag of one JVM, switched on.
type Loan struct {
	Process
	ledger Ledger
	mu     sync.Mutex
	file   *os.File // locked, shared; nil: nothing is owed (any more)
}

const (
	lockName    = "lock"
	lockTimeout = 5 * time.Second // others hold it for as long as it takes to write a byte
	lockRetry   = 10 * time.Millisecond
)

// SwitchOn switches the probe flag of a JVM on, or borrows it where another
// has switched it on. Where it was on from the start nothing is owed. After an
// error that is ErrNotWritten, ErrGone or one of finding the flag it is as it
// was.
func (l Ledger) SwitchOn(who Process) (*Loan, error) {
	unlock, err := l.lock(true)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotWritten, err)
	}
	defer unlock()
	b, err := openProbeByte(l.Proc, who)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if _, err := MonitorSites(b.lib.path); err != nil {
		return nil, err
	}
	file, err := l.borrow(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotWritten, err)
	}
	if b.value == 0 {
		if err := b.set(1); err != nil {
			return nil, errors.Join(err, l.annul(b, file))
		}
	}
	return &Loan{Process: who, ledger: l, file: file}, nil
}

// borrow takes a share of the file of a JVM, which it makes where the flag is
// off; nil: the flag is on and nobody's debt.
func (l Ledger) borrow(b *probeByte) (*os.File, error) {
	boot, err := l.boot()
	if err != nil {
		return nil, err
	}
	file, d, err := openDebt(filepath.Join(l.Dir, debtName(b.Process)))
	switch {
	case err == nil && d.Boot == boot && d.Address == b.addr:
	case err == nil: // of another boot, or of what this process was before an exec
		file.Close()
		fallthrough
	case errors.Is(err, fs.ErrNotExist):
		if b.value == 1 {
			return nil, nil
		}
		file, err = writeDebt(l.Dir, debt{Version: debtVersion, PID: b.PID, StartTime: b.StartTime, Boot: boot,
			Flag: probeFlag, Address: b.addr, Who: l.Who, Since: time.Now().Truncate(time.Second)})
		if err != nil {
			return nil, fmt.Errorf("write down what is owed: %w", err)
		}
	default:
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", file.Name(), err), file.Close())
	}
	return file, nil
}

// annul takes the file away again after a switch that failed, if the flag is
// known to be off and nobody else has a share.
func (l Ledger) annul(b *probeByte, file *os.File) error {
	defer file.Close()
	if !alone(file) {
		return nil
	}
	if _, value, err := b.look(); err == nil && value == 0 || errors.Is(b.ended(err), ErrGone) {
		return removeDebt(l.Dir, b.Process)
	}
	return nil
}

// alone says whether nobody else has a share of a debt; then nobody gets one
// until the directory's lock is let go of.
func alone(file *os.File) bool {
	return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// Owed says whether the flag is to be put back.
func (o *Loan) Owed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.file != nil
}

// PutBack ends the use of the flag: the last user switches it off. It may be
// called again. After an error the debt stays written down, for Repair.
func (o *Loan) PutBack() (done bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return false, nil
	}
	unlock, err := o.ledger.lock(false)
	if err != nil {
		return false, err // the share is kept: it may be tried again
	}
	defer unlock()
	file := o.file
	o.file = nil
	defer file.Close()
	if !alone(file) {
		return false, nil
	}
	return o.ledger.pay(filepath.Join(o.ledger.Dir, debtName(o.Process)))
}

// pay puts a flag back that nobody uses, and takes the file away; the
// directory is locked. done says that there was something to put back.
func (l Ledger) pay(path string) (done bool, err error) {
	file, d, err := openDebt(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	boot, err := l.boot()
	if err != nil {
		return false, err
	}
	if d.Boot == boot {
		done, err = d.putBack(l.Proc)
	}
	if err != nil && !errors.Is(err, ErrGone) {
		return false, fmt.Errorf("put back the flag of %d: %w", d.PID, err)
	}
	return done, removeDebt(l.Dir, d.process())
}

func (d debt) putBack(proc string) (done bool, err error) {
	b, err := openProbeByte(proc, d.process())
	if err != nil {
		return false, err
	}
	defer b.Close()
	if b.addr != d.Address {
		return false, fmt.Errorf("%w: it is at %#x and was at %#x", ErrNotWritten, b.addr, d.Address)
	}
	if b.value == 0 {
		return false, nil // it never came to be switched on
	}
	return true, b.set(0)
}

// boot names this run of the kernel.
func (l Ledger) boot() (string, error) {
	b, err := readBounded(l.Proc+"/sys/kernel/random/boot_id", maxStat)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(b)), nil
}

// lock locks the directory for this process, and makes it if it may.
func (l Ledger) lock(make bool) (unlock func(), err error) {
	if l.Dir == "" {
		return nil, errors.New("no directory to write down what is owed is known")
	}
	if make {
		if err := os.MkdirAll(l.Dir, 0o700); err != nil {
			return nil, err
		}
	}
	st, err := os.Lstat(l.Dir)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("%s is no directory", l.Dir)
	}
	if err := trusted(st); err != nil {
		return nil, fmt.Errorf("%s: %w", l.Dir, err)
	}
	f, err := os.OpenFile(filepath.Join(l.Dir, lockName), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	for began := time.Now(); ; time.Sleep(lockRetry) {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Since(began) > lockTimeout {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", l.Dir, err), f.Close())
		}
	}
}
