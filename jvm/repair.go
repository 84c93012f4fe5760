package jvm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Debt is a probe flag that is owed to a JVM, or lent.
type Debt struct {
	Process
	Who   string // who switched it on, for people
	Since time.Time
	InUse bool // somebody who lives will put it back; else it is Repair's
}

// Repair puts back every flag whose users have ended without doing so, if the
// JVM is still the same process, and lists those; files about processes that
// have ended are taken away. What could not be read or put back stays as it is
// and is told, all of it in one error: nothing is written to a JVM for a file
// that is not beyond doubt. Without a directory there is nothing to do.
func (l Ledger) Repair() (paid []Debt, err error) {
	return l.walk(func(path string, d Debt, _ bool) (bool, error) {
		if d.InUse {
			return false, nil
		}
		return l.pay(path)
	})
}

// Debts lists what is owed to JVMs that live; it changes nothing.
func (l Ledger) Debts() ([]Debt, error) {
	return l.walk(func(_ string, _ Debt, over bool) (bool, error) { return !over, nil })
}

// walk lists the debts that take is true of; over says that the JVM has ended.
func (l Ledger) walk(take func(path string, d Debt, over bool) (bool, error)) (taken []Debt, err error) {
	if l.Dir == "" {
		return nil, nil
	}
	unlock, err := l.lock(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer unlock()
	entries, err := os.ReadDir(l.Dir)
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, e := range entries {
		if !isDebt(e.Name()) {
			continue
		}
		if len(taken)+len(failed) >= maxDebts {
			failed = append(failed, fmt.Errorf("%s: more than %d files", l.Dir, maxDebts))
			break
		}
		path := filepath.Join(l.Dir, e.Name())
		d, over, err := l.read(path)
		yes := false
		if err == nil {
			yes, err = take(path, d, over)
		}
		if err != nil {
			failed = append(failed, err)
		} else if yes {
			taken = append(taken, d)
		}
	}
	return taken, errors.Join(failed...)
}

// read reads one file; the directory is locked.
func (l Ledger) read(path string) (out Debt, over bool, err error) {
	file, d, err := openDebt(path)
	if err != nil {
		return Debt{}, false, err
	}
	defer file.Close()
	boot, err := l.boot()
	if err != nil {
		return Debt{}, false, err
	}
	out = Debt{Process: d.process(), Who: d.Who, Since: d.Since, InUse: !alone(file)}
	return out, d.Boot != boot || errors.Is(out.lives(l.Proc), ErrGone), nil
}
