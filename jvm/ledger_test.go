package jvm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func newLedger(t testing.TB) Ledger {
	return Ledger{Dir: filepath.Join(t.TempDir(), "state"), Proc: "/proc", Who: "a test"}
}

// wantDebts holds the directory's files to a number.
func wantDebts(t testing.TB, l Ledger, n int) {
	t.Helper()
	if found, err := filepath.Glob(l.Dir + "/" + debtPrefix + "*"); err != nil || len(found) != n {
		t.Errorf("%d debts %v, %v, want %d", len(found), found, err, n)
	}
}

// die ends a loan as a SIGKILL does: its locks go, and nothing else happens.
func die(o *Loan) { o.file.Close(); o.file = nil }

func lend(t testing.TB, l Ledger, p Process) *Loan {
	t.Helper()
	o, err := l.SwitchOn(p)
	if errors.Is(err, ErrNoMemory) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestLedger: what is switched on is noted before and forgotten after, and the
// last of several puts it back.
func TestLedger(t *testing.T) {
	l, p := newLedger(t), alive(t, startJVM(t, jdks(t)[0], nil))
	first := lend(t, l, p)
	wantFlag(t, p, true)
	wantDebts(t, l, 1)
	second := lend(t, l, p)
	if !first.Owed() || !second.Owed() {
		t.Error("nothing is owed")
	}
	if d, err := l.Debts(); err != nil || len(d) != 1 || !d[0].InUse || d[0].Process != p || d[0].Who != "a test" || time.Since(d[0].Since) > time.Minute {
		t.Errorf("%+v, %v", d, err)
	}
	if paid, err := l.Repair(); err != nil || len(paid) != 0 {
		t.Errorf("repaired in use: %v, %v", paid, err)
	}
	if done, err := first.PutBack(); done || err != nil || first.Owed() {
		t.Errorf("the first: %v, %v", done, err)
	}
	wantFlag(t, p, true)
	if done, err := second.PutBack(); !done || err != nil {
		t.Errorf("the last: %v, %v", done, err)
	}
	wantFlag(t, p, false)
	wantDebts(t, l, 0)
	if done, err := second.PutBack(); done || err != nil {
		t.Errorf("twice: %v, %v", done, err)
	}
}

// TestOwnFlag: what the operator has switched on stays on.
func TestOwnFlag(t *testing.T) {
	l, p := newLedger(t), alive(t, startJVM(t, jdks(t)[0], nil, "-XX:+DTraceMonitorProbes"))
	o := lend(t, l, p)
	if o.Owed() {
		t.Error("it is owed")
	}
	wantDebts(t, l, 0)
	if done, err := o.PutBack(); done || err != nil {
		t.Errorf("%v, %v", done, err)
	}
	wantFlag(t, p, true)
}

// TestRepair: what somebody who was killed left on is put back by the next
// one; a second user of his goes on.
func TestRepair(t *testing.T) {
	l, p := newLedger(t), alive(t, startJVM(t, jdks(t)[0], nil))
	die(lend(t, l, p))
	wantFlag(t, p, true)
	if d, err := l.Debts(); err != nil || len(d) != 1 || d[0].InUse {
		t.Errorf("%+v, %v", d, err)
	}
	heir := lend(t, l, p) // takes it over
	if paid, err := l.Repair(); err != nil || len(paid) != 0 {
		t.Errorf("repaired in use: %v, %v", paid, err)
	}
	die(heir)
	paid, err := l.Repair()
	if err != nil || len(paid) != 1 || paid[0].Process != p {
		t.Errorf("%+v, %v", paid, err)
	}
	wantFlag(t, p, false)
	wantDebts(t, l, 0)
}

// TestKilledBetween: after the note and before the write there is nothing to
// put back.
func TestKilledBetween(t *testing.T) {
	l, p := newLedger(t), alive(t, startJVM(t, jdks(t)[0], nil))
	mayWriteOrSkip(t, p)
	b, err := openProbeByte("/proc", p)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	unlock, err := l.lock(true)
	if err != nil {
		t.Fatal(err)
	}
	file, err := l.borrow(b)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	unlock()
	wantDebts(t, l, 1)
	if paid, err := l.Repair(); err != nil || len(paid) != 0 {
		t.Errorf("%+v, %v", paid, err)
	}
	wantFlag(t, p, false)
	wantDebts(t, l, 0)
}

// TestEndedJVM: with a JVM goes what is owed to it.
func TestEndedJVM(t *testing.T) {
	l := newLedger(t)
	for _, killed := range []bool{false, true} {
		p := alive(t, startJVM(t, jdks(t)[0], nil))
		o := lend(t, l, p)
		if err := syscall.Kill(int(p.PID), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); Alive("/proc", p) && time.Since(began) < 10*time.Second; {
			time.Sleep(time.Millisecond)
		}
		if killed {
			die(o)
			if d, err := l.Debts(); err != nil || len(d) != 0 {
				t.Errorf("%+v, %v", d, err)
			}
			wantDebts(t, l, 1)
			if paid, err := l.Repair(); err != nil || len(paid) != 0 {
				t.Errorf("%+v, %v", paid, err)
			}
		} else if done, err := o.PutBack(); done || err != nil {
			t.Errorf("%v, %v", done, err)
		}
		wantDebts(t, l, 0)
	}
}

// TestHostileFiles: nothing is written to a JVM for a file that is not as we
// write it, and the file stays for whoever looks.
func TestHostileFiles(t *testing.T) {
	l, p := newLedger(t), alive(t, startJVM(t, jdks(t)[0], nil))
	die(lend(t, l, p))
	path := filepath.Join(l.Dir, debtName(p))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) func() error {
		return func() error {
			text := strings.Replace(string(good), old, new, 1)
			if text == string(good) {
				return fmt.Errorf("no %q in %s", old, good)
			}
			return os.WriteFile(path, []byte(text), 0o600)
		}
	}
	again := func(make func() error) func() error {
		return func() error { return errors.Join(os.Remove(path), make()) }
	}
	for name, spoil := range map[string]func() error{
		"empty":           func() error { return os.Truncate(path, 0) },
		"torn":            func() error { return os.Truncate(path, int64(len(good)/2)) },
		"long":            func() error { return os.WriteFile(path, append(good, make([]byte, maxDebt)...), 0o600) },
		"two":             func() error { return os.WriteFile(path, append(good, good...), 0o600) },
		"version":         replace(`"version": 1`, `"version": 2`),
		"unknown field":   replace(`"version": 1`, `"version": 1, "command": "rm"`),
		"another flag":    replace(probeFlag, "UseG1GC"),
		"old value":       replace(`"old": 0`, `"old": 1`),
		"another pid":     replace(fmt.Sprintf(`"pid": %d`, p.PID), `"pid": 1`),
		"another start":   replace(fmt.Sprintf(`"start_time": %d`, p.StartTime), fmt.Sprintf(`"start_time": %d`, p.StartTime+1)),
		"another address": replace(`"address": `, `"address": 1`),
		"no boot":         replace(`"boot_id": "`, `"boot_id": "", "who": "`),
		"writable":        func() error { return os.Chmod(path, 0o666) },
		"link": again(func() error {
			return errors.Join(os.WriteFile(l.Dir+"/elsewhere", good, 0o600), os.Symlink(l.Dir+"/elsewhere", path))
		}),
		"pipe":      again(func() error { return syscall.Mkfifo(path, 0o600) }),
		"directory": again(func() error { return os.Mkdir(path, 0o700) }),
	} {
		t.Run(name, func(t *testing.T) {
			if err := spoil(); err != nil {
				t.Fatal(err)
			}
			if paid, err := l.Repair(); err == nil || len(paid) != 0 {
				t.Errorf("repaired: %+v, %v", paid, err)
			} else {
				t.Log(err)
			}
			wantFlag(t, p, true)
			if _, err := os.Lstat(path); err != nil {
				t.Error(err)
			}
			if err := errors.Join(os.Remove(path), os.WriteFile(path, good, 0o600)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if paid, err := l.Repair(); !errors.Is(err, errDebt) {
			t.Errorf("another user's: %+v, %v", paid, err)
		}
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	wantFlag(t, p, true)
	if paid, err := l.Repair(); err != nil || len(paid) != 1 {
		t.Errorf("as it was: %+v, %v", paid, err)
	}
	wantFlag(t, p, false)
}

// TestOtherBoot: of an earlier boot no process of this one is meant, whatever
// its pid and start.
func TestOtherBoot(t *testing.T) {
	l, p := newLedger(t), alive(t, startJVM(t, jdks(t)[0], nil, "-XX:+DTraceMonitorProbes"))
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := openProbeByte("/proc", p)
	if errors.Is(err, ErrNoMemory) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	f, err := writeDebt(l.Dir, debt{Version: debtVersion, PID: p.PID, StartTime: p.StartTime, Boot: "another", Flag: probeFlag, Address: b.addr})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if d, err := l.Debts(); err != nil || len(d) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	if o := lend(t, l, p); o.Owed() {
		t.Error("the operator's own flag is owed")
	}
	if paid, err := l.Repair(); err != nil || len(paid) != 0 {
		t.Errorf("%+v, %v", paid, err)
	}
	wantFlag(t, p, true)
	wantDebts(t, l, 0)
}

// TestDirectory: without one that is ours alone nothing is switched on.
func TestDirectory(t *testing.T) {
	p := alive(t, startJVM(t, jdks(t)[0], nil))
	mayWriteOrSkip(t, p)
	open, file := filepath.Join(t.TempDir(), "open"), filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", open, file, "/proc/nowhere/state"} {
		l := Ledger{Dir: dir, Proc: "/proc"}
		if _, err := l.SwitchOn(p); !errors.Is(err, ErrNotWritten) {
			t.Errorf("in %q: %v", dir, err)
		}
		wantFlag(t, p, false)
	}
	none := newLedger(t)
	if paid, err := none.Repair(); err != nil || paid != nil {
		t.Errorf("nothing noted: %v, %v", paid, err)
	}
	if _, err := os.Stat(none.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Repair made %s: %v", none.Dir, err)
	}
}

func FuzzParseDebt(f *testing.F) {
	f.Add([]byte(`{"version":1,"pid":1,"start_time":2,"boot_id":"b","flag":"DTraceMonitorProbes","address":3,"old":0,"who":"","since":"2026-11-23T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseDebt(b)
		if err != nil {
			if d != (debt{}) {
				t.Errorf("an error and %+v", d)
			}
			return
		}
		if d.Old != 0 || d.Flag != probeFlag || d.PID <= 0 || d.Address == 0 {
			t.Errorf("%+v", d)
		}
	})
}
