package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Dir is the cache's directory: $XDG_CACHE_HOME/tailspan. It is made if it is
// not there.
func Dir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil { // no $HOME, as in many containers
		base = filepath.Join(os.TempDir(), fmt.Sprintf("cache-%d", os.Getuid()))
	}
	dir := filepath.Join(base, "tailspan")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make cache: %w", err)
	}
	return dir, nil
}

// Run is the directory of one run. It goes away with Close, or, after a kill,
// at the start of the next run.
type Run struct {
	Dir  string
	lock *os.File
}

// NewRun removes what killed runs left and makes a directory for this one.
func NewRun() (*Run, error) {
	root, err := runsDir()
	if err != nil {
		return nil, err
	}
	if _, err := Sweep(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(root, "run-")
	if err != nil {
		return nil, fmt.Errorf("make run directory: %w", err)
	}
	lock, err := hold(dir + ".lock")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock run directory: %w", err), os.RemoveAll(dir))
	}
	return &Run{Dir: dir, lock: lock}, nil
}

// Path joins elements below the run's directory.
func (r *Run) Path(elem ...string) string {
	return filepath.Join(append([]string{r.Dir}, elem...)...)
}

// Close removes the directory, then lets go of the lock.
func (r *Run) Close() error {
	err := os.RemoveAll(r.Dir)
	return errors.Join(err, os.Remove(r.lock.Name()), r.lock.Close())
}

// Sweep removes the directories of dead runs and says how many they were.
func Sweep() (int, error) {
	root, err := runsDir()
	if err != nil {
		return 0, err
	}
	locks, err := filepath.Glob(filepath.Join(root, "run-*.lock"))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range locks {
		lock, err := hold(name)
		if err != nil {
			continue // alive
		}
		run := &Run{Dir: name[:len(name)-len(".lock")], lock: lock}
		if err := run.Close(); err != nil {
			return n, fmt.Errorf("sweep %s: %w", run.Dir, err)
		}
		n++
	}
	return n, nil
}

func runsDir() (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(dir, "runs")
	return root, os.MkdirAll(root, 0o755)
}

// hold opens and locks a file; the lock ends with the process.
func hold(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Held says whether a living process holds the run of a directory.
func Held(dir string) bool {
	f, err := os.OpenFile(dir+".lock", os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil
}
