package bpf

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// trialName makes a memory file's name (after "memfd:") look like a segment's.
const trialName = "0000tailspan00.log"

// ErrUnseen says that programs were attached and did not see what they are for:
// a compiler may have put a copy of a function into its callers.
var ErrUnseen = errors.New("attached, but does not see")

// writesAreSeen makes one write of our own and looks for its record. It is
// called before any process is traced: nobody else's records are in the ring.
func writesAreSeen(p *Probes) error {
	pid, err := p.hostPID()
	if err != nil {
		p.log.Debug("a write of our own is not tried", "error", err)
		return nil
	}
	fd, err := unix.MemfdCreate(trialName, unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("create memory file: %w", err)
	}
	defer unix.Close(fd)
	if err := p.Trace(pid); err != nil {
		return err
	}
	const bytes = 7
	_, err = unix.Write(fd, make([]byte, bytes))
	if err := errors.Join(err, p.Untrace(pid)); err != nil {
		return fmt.Errorf("write to memory file: %w", err)
	}
	seen := false
	var r Record
	_, err = p.Read(0, func(raw []byte) {
		seen = seen || Decode(raw, &r) == nil && r.Kind == KindWrite && r.TGID == pid && r.Write.Result == bytes
	})
	if err != nil {
		return err
	}
	if !seen {
		return fmt.Errorf("%w: %w a write", ErrNotHere, ErrUnseen)
	}
	return nil
}
