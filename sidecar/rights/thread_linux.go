package rights

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// words are capget(2)'s and capset(2)'s sets: the low and the high half of each.
type words [2]unix.CapUserData

func header() unix.CapUserHeader {
	return unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3} // pid 0: this thread
}

func get() (w words, err error) {
	h := header()
	if err := unix.Capget(&h, &w[0]); err != nil {
		return w, fmt.Errorf("capget: %w", err)
	}
	return w, nil
}

func (w *words) effective() Set { return Set(w[0].Effective) | Set(w[1].Effective)<<32 }
func (w *words) permitted() Set { return Set(w[0].Permitted) | Set(w[1].Permitted)<<32 }

func (w *words) setEffective(s Set) { w[0].Effective, w[1].Effective = uint32(s), uint32(s>>32) }
func (w *words) setPermitted(s Set) { w[0].Permitted, w[1].Permitted = uint32(s), uint32(s>>32) }

// Held is the effective set of the calling thread.
func Held() (Set, error) {
	w, err := get()
	return w.effective(), err
}

// Without runs f with the effective set lessened by those, on a thread that has
// them again afterwards: so a need is tried, not supposed. f must do what it
// does on the goroutine that calls it.
func Without(those Set, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, err := get()
	if err != nil {
		return err
	}
	less, h := all, header()
	less.setEffective(all.effective() &^ those)
	if err := unix.Capset(&h, &less[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	err = f()
	if e := unix.Capset(&h, &all[0]); e != nil {
		runtime.LockOSThread() // never let go of: this thread ends with its goroutine
		return fmt.Errorf("capset: %w", e)
	}
	return err
}
