package screen

import (
	"os"

	"golang.org/x/sys/unix"
)

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// The size of a terminal that does not know its own.
const (
	defaultColumns = 80
	defaultRows    = 24
)

// Size is that of the terminal, now; 80 by 24 where it does not know.
func (s *Screen) Size() (columns, rows int) { return size(s.out) }

func size(f *os.File) (columns, rows int) {
	w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || w.Col == 0 || w.Row == 0 {
		return defaultColumns, defaultRows
	}
	return int(w.Col), int(w.Row)
}

// same says that both are one terminal.
func same(a, b *os.File) bool {
	x, errX := a.Stat()
	y, errY := b.Stat()
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// inForeground says whether the terminal is this process's to write to; where it
// is not its controlling one, nobody else's jobs are on it.
func inForeground(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
