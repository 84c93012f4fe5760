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

// writesAreSeen makes one write of our own and looks for its record.
func writesAreSeen(p *Probes) error {
	const bytes = 7
	return p.areSeen("a write", 1, func(fd int) error {
		_, err := unix.Write(fd, make([]byte, bytes))
		return err
	}, func(r *Record) bool { return r.Kind == KindWrite && r.Write.Result == bytes })
}

// fsyncsAreSeen does so with fsyncs of both kinds.
func fsyncsAreSeen(p *Probes) error {
	return p.areSeen("an fsync and an fdatasync", 2, func(fd int) error {
		return errors.Join(unix.Fsync(fd), unix.Fdatasync(fd))
	}, func(r *Record) bool { return r.Kind == KindFsync })
}

// areSeen does something of our own to a file in memory and looks for n records
// of it. Where that cannot be tried it is taken as seen. It is called before any
// process is traced: nobody else's records are in the ring.
func (p *Probes) areSeen(what string, n int, do func(fd int) error, is func(*Record) bool) error {
	pid, err := p.hostPID()
	fd := -1
	if err == nil {
		fd, err = unix.MemfdCreate(trialName, unix.MFD_CLOEXEC)
	}
	if err != nil {
		p.log.Debug("not tried", "what", what, "error", err)
		return nil
	}
	defer unix.Close(fd)
	if err := p.Trace(pid); err != nil {
		return err
	}
	if err := errors.Join(do(fd), p.Untrace(pid)); err != nil {
		return fmt.Errorf("%s of a memory file: %w", what, err)
	}
	var r Record
	_, err = p.Read(0, func(raw []byte) {
		if Decode(raw, &r) == nil && r.TGID == pid && is(&r) {
			n--
		}
	})
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%w: %w %s", ErrNotHere, ErrUnseen, what)
	}
	return nil
}
