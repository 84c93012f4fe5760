package jvm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	debtVersion = 1
	debtPrefix  = "monitor-probes-"
	debtSuffix  = ".json"
	maxDebt     = 4 << 10 // bytes; one has 300
	maxDebts    = 1 << 10
)

// errDebt says that a file is not as a Ledger writes it; nothing is written to
// any JVM on its word.
var errDebt = errors.New("not a record of a switched flag")

// debt is a file of a Ledger: the flag of that process was 0 and is to be 0
// again. A flag that was 1 is nobody's debt.
type debt struct {
	Version   int       `json:"version"`
	PID       int32     `json:"pid"`
	StartTime uint64    `json:"start_time"` // of the process, clock ticks since boot
	Boot      string    `json:"boot_id"`
	Flag      string    `json:"flag"`
	Address   uint64    `json:"address"` // of the flag, which tells one address space from another
	Old       byte      `json:"old"`
	Who       string    `json:"who"`
	Since     time.Time `json:"since"`
}

func (d debt) process() Process { return Process{d.PID, d.StartTime} }

// debtName is that of the file of a process.
func debtName(p Process) string {
	return debtPrefix + strconv.Itoa(int(p.PID)) + "-" + strconv.FormatUint(p.StartTime, 10) + debtSuffix
}

func isDebt(name string) bool {
	return strings.HasPrefix(name, debtPrefix) && strings.HasSuffix(name, debtSuffix)
}

// openDebt opens and reads a file of a Ledger, which must be a plain file that
// nobody but root and we can have written.
func openDebt(path string) (*os.File, debt, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, debt{}, err
	}
	d, err := readDebt(f)
	if err == nil && debtName(d.process()) != filepath.Base(path) {
		err = fmt.Errorf("%w: it is about process %d, begun at %d", errDebt, d.PID, d.StartTime)
	}
	if err != nil {
		return nil, debt{}, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, d, nil
}

func readDebt(f *os.File) (d debt, err error) {
	st, err := f.Stat()
	if err != nil {
		return d, err
	}
	if !st.Mode().IsRegular() {
		return d, fmt.Errorf("%w: no regular file", errDebt)
	}
	if err := trusted(st); err != nil {
		return d, fmt.Errorf("%w: %w", errDebt, err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxDebt+1))
	if err != nil {
		return d, err
	}
	if len(b) > maxDebt {
		return d, fmt.Errorf("%w: longer than %d bytes", errDebt, maxDebt)
	}
	return parseDebt(b)
}

// parseDebt takes what writeDebt writes and nothing else.
func parseDebt(b []byte) (d debt, err error) {
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		return debt{}, fmt.Errorf("%w: %w", errDebt, err)
	}
	if _, err := in.Token(); err != io.EOF {
		return debt{}, fmt.Errorf("%w: more than one object", errDebt)
	}
	switch {
	case d.Version != debtVersion:
		return debt{}, fmt.Errorf("%w: version %d", errDebt, d.Version)
	case d.Flag != probeFlag || d.Old != 0:
		return debt{}, fmt.Errorf("%w: flag %.40q, old value %d", errDebt, d.Flag, d.Old)
	case d.PID <= 0 || d.StartTime == 0 || d.Address == 0 || d.Boot == "":
		return debt{}, fmt.Errorf("%w: a field is missing", errDebt)
	}
	return d, nil
}

// trusted: a file or directory that somebody else may write says nothing.
func trusted(st fs.FileInfo) error {
	own, ok := st.Sys().(*syscall.Stat_t)
	if !ok || own.Uid != 0 && int(own.Uid) != os.Geteuid() {
		return errors.New("it is another user's")
	}
	if st.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others may write to it (%v)", st.Mode().Perm())
	}
	return nil
}

// writeDebt makes the file of a debt, whole and on disk when it returns. The
// directory is locked by the caller.
func writeDebt(dir string, d debt) (*os.File, error) {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, err
	}
	temporary := filepath.Join(dir, "new")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(temporary, filepath.Join(dir, debtName(d.process())))
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func removeDebt(dir string, p Process) error {
	if err := os.Remove(filepath.Join(dir, debtName(p))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
