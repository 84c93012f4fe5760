package jvm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNotWritten says that the probe flag was left as it was, for it is not
// beyond doubt, or the JVM's memory may not be written to.
var ErrNotWritten = errors.New("the probe flag was left alone")

// probeByte is the byte of the probe flag in the memory of one JVM, found and
// checked. Its descriptor belongs to the address space and not to the pid: once
// the JVM has ended, reads and writes fail, whoever has the pid by then.
type probeByte struct {
	proc
	Process
	lib   library
	m     *memory
	addr  uint64
	value byte // when it was opened: 0 or 1
}

// openProbeByte finds the flag, to be written; the caller closes it. Where
// the memory cannot be opened for writing (it is another user's, and
// CAP_DAC_OVERRIDE was given up), process_vm_writev(2) does it, which takes no
// more than CAP_SYS_PTRACE.
func openProbeByte(root string, who Process) (*probeByte, error) {
	b := &probeByte{proc: proc{root, who.PID}, Process: who}
	if err := who.lives(root); err != nil {
		return nil, err
	}
	var err error
	if b.lib, _, err = b.library(b.view()); err != nil {
		return nil, err
	}
	if b.m, err = b.openMemoryFor(b.lib, os.O_RDWR); errors.Is(err, fs.ErrPermission) {
		b.m, err = b.openMemory(b.lib)
	}
	if err != nil {
		return nil, b.ended(err)
	}
	if b.addr, b.value, err = b.look(); err == nil {
		err = who.lives(root)
	}
	if err != nil {
		b.m.Close()
		return nil, b.ended(err)
	}
	return b, nil
}

func (b *probeByte) Close() error { return b.m.Close() }

// look finds the flag by its name, and takes it for one only if its type is
// bool, its value 0 or 1, and its place in libjvm's writable data.
func (b *probeByte) look() (addr uint64, value byte, err error) {
	row, err := b.m.flag(probeFlag)
	if err != nil {
		return 0, 0, fmt.Errorf("find %s: %w", probeFlag, err)
	}
	if !row.boolean {
		return 0, 0, fmt.Errorf("%w: %s is no bool", errTable, probeFlag)
	}
	if value, err = b.m.boolean(row.addr); err != nil {
		return 0, 0, err
	}
	if !b.m.holds(row.addr) {
		return 0, 0, fmt.Errorf("%w: %s is not in libjvm's data", errTable, probeFlag)
	}
	if ok, err := b.mayWrite(row.addr); err != nil || !ok {
		return 0, 0, errors.Join(fmt.Errorf("%w: %s is in no writable mapping", errTable, probeFlag), err)
	}
	return row.addr, value, nil
}

// holds says whether an address is in libjvm's writable data.
func (m *memory) holds(addr uint64) bool {
	for _, s := range m.data {
		if addr >= s.start && addr < s.end {
			return true
		}
	}
	return false
}

// mayWrite says whether the process has a private writable mapping at an
// address: the zeroed end of a library's data has no name in the maps.
func (p proc) mayWrite(addr uint64) (bool, error) {
	f, err := os.Open(p.path("maps"))
	if err != nil {
		return false, gone(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxMaps))
	for lines.Scan() {
		var start, end uint64
		var mode string
		n, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &start, &end, &mode)
		if err == nil && n == 3 && addr >= start && addr < end {
			return strings.HasPrefix(mode, "rw") && strings.HasSuffix(mode, "p"), nil
		}
	}
	return false, gone(lines.Err())
}

// set writes the value that the flag does not have, after a second look at it
// through the descriptor that writes, and reads it back. An error that is
// ErrNotWritten has left it as it was.
func (b *probeByte) set(value byte) error {
	if err := b.prove(value); err != nil {
		return fmt.Errorf("%w: %w", ErrNotWritten, b.ended(err))
	}
	if err := b.write(value); err != nil {
		return fmt.Errorf("%w: write: %w", ErrNotWritten, b.ended(err))
	}
	got, err := b.m.boolean(b.addr)
	if err != nil {
		return b.ended(err)
	}
	if got != value {
		return fmt.Errorf("%s is %d after %d was written", probeFlag, got, value)
	}
	b.value = value
	return nil
}

// prove takes the second look.
func (b *probeByte) prove(value byte) error {
	addr, now, err := b.look()
	switch {
	case err != nil:
		return err
	case addr != b.addr || now != b.value:
		return fmt.Errorf("%w: %s was %d at %#x and is %d at %#x", errTable, probeFlag, b.value, b.addr, now, addr)
	case now == value || value > 1:
		return fmt.Errorf("%s is %d already", probeFlag, now)
	}
	return b.lives(b.root)
}

// write puts one byte there. By pid it may not land in another process:
// whoever got the pid since would have to have done so after prove's last look.
func (b *probeByte) write(value byte) error {
	one := []byte{value}
	if b.m.writable {
		_, err := b.m.f.WriteAt(one, int64(b.addr))
		return err
	}
	n, err := unix.ProcessVMWritev(int(b.pid), []unix.Iovec{{Base: &one[0], Len: 1}},
		[]unix.RemoteIovec{{Base: uintptr(b.addr), Len: 1}}, 0)
	if err == nil && n != 1 {
		err = io.ErrShortWrite
	}
	return err
}

// ended says ErrGone where an error's reason is that the JVM has ended.
func (b *probeByte) ended(err error) error {
	if err != nil && errors.Is(b.lives(b.root), ErrGone) {
		return ErrGone
	}
	return err
}

// CanSwitch says why the probe flag of a JVM could not be switched on by
// writing to its memory; it writes nothing. nil: it could, or is on.
func CanSwitch(root string, who Process) error {
	b, err := openProbeByte(root, who)
	if err != nil {
		return err
	}
	defer b.Close()
	_, err = MonitorSites(b.lib.path)
	return err
}
