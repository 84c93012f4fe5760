// Package screen keeps some lines at the bottom of a terminal and draws them
// anew in place; whatever else goes to the terminal through Above scrolls by
// above them, whole.
//
// No mode of the terminal outlives a write: it is not made raw, its screen is
// not swapped, and the cursor is hidden and lines are cut at the right edge only
// within one write. So nothing has to be put back, whatever ends the process.
//
//	screen.go  the lines; terminal.go: what terminal it is
//
// Its tests are those of deploy/lab/terminal, which has a terminal's emulator.
package screen

import (
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Screen is a terminal with lines at its bottom. Safe for concurrent use; a nil
// one shows nothing.
type Screen struct {
	mu    sync.Mutex
	out   *os.File
	lines []string // that are there now; the cursor is below them
	open  bool     // another's line is not ended, so none of ours are there
	buf   []byte
	last  time.Time // Show
}

// Of is the terminal that a file is: nil where it is none, or one of which it is not
// known that its cursor moves (no TERM, or dumb).
func Of(f *os.File) *Screen {
	if kind := os.Getenv("TERM"); !isTerminal(f) || kind == "" || kind == "dumb" {
		return nil
	}
	return &Screen{out: f}
}

// File is the terminal; nil without one.
func (s *Screen) File() *os.File {
	if s == nil {
		return nil
	}
	return s.out
}

// Control sequences: ECMA-48, and DEC's private modes as xterm has them. Mode
// 2026 has the terminal show all of it at once; who does not know it ignores it.
const (
	begin = "\x1b[?2026h\x1b[?25l\x1b[?7l" // one picture, no cursor, no wrapping
	end   = "\x1b[?7h\x1b[?25h\x1b[?2026l"
	line  = "\x1b[K" // erase the rest of the line, before it is written: the cursor may stay on the last column
	below = "\x1b[J" // erase all below
)

// Show puts these lines in place of those that are there; the terminal's last
// row stays free. In the background nothing is drawn. It wants to be called again
// within absence, though with the same lines.
func (s *Screen) Show(lines []string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ours := s.ours()
	s.last = time.Now()
	if !ours || s.open {
		return
	}
	_, rows := size(s.out)
	lines = lines[:min(len(lines), max(rows-1, 1))]
	if slices.Equal(lines, s.lines) {
		return
	}
	b := s.home(append(s.buf[:0], begin...))
	b = s.draw(b, lines)
	s.write(append(b, end...))
}

// Clear takes the lines away.
func (s *Screen) Clear() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ours() && len(s.lines) > 0 {
		s.write(append(s.home(s.buf[:0]), below...))
	}
	s.lines = s.lines[:0]
}

// Leave leaves the lines where they are: what comes next stands below them.
func (s *Screen) Leave() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ours() && len(s.lines) > 0 {
		s.write(append(s.buf[:0], "\r"+below...)) // the ^C that the terminal has shown
	}
	s.lines = s.lines[:0]
}

// Above writes to a file, which is told apart from others by what it is: what
// goes to this terminal stands above the lines, what goes elsewhere goes there.
func (s *Screen) Above(f *os.File) io.Writer {
	if s == nil || !same(s.out, f) {
		return f
	}
	return above{s, f}
}

type above struct {
	s *Screen
	f *os.File
}

func (a above) Write(text []byte) (int, error) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = len(text) > 0 && text[len(text)-1] != '\n'
	if !s.ours() || len(s.lines) == 0 {
		return a.f.Write(text)
	}
	s.write(append(s.home(append(s.buf[:0], "\x1b[?2026h"...)), below...))
	n, err := a.f.Write(text)
	if s.open {
		s.lines = s.lines[:0]
	}
	b := s.draw(append(s.buf[:0], begin...), s.lines)
	s.write(append(b, end...))
	return n, err
}

// absence is that of a process that was stopped (^Z): nothing else keeps one from
// drawing for so long.
const absence = 2 * time.Second

// ours says whether the terminal is ours to draw on. Where it was not meanwhile, the
// shell's lines stand below ours, which begin anew.
func (s *Screen) ours() bool {
	foreground := inForeground(s.out)
	if !foreground || time.Since(s.last) > absence {
		s.lines = s.lines[:0]
	}
	return foreground
}

// home goes to the beginning of the first line. Where the terminal has become
// narrower and has wrapped the lines, that is one further down: a part of the old
// ones stays above, but nothing that is not ours is written over.
func (s *Screen) home(b []byte) []byte {
	b = append(b, '\r')
	if n := len(s.lines); n > 0 {
		b = append(strconv.AppendInt(append(b, "\x1b["...), int64(n), 10), 'A')
	}
	return b
}

// draw puts lines where the cursor is, and nothing below them.
func (s *Screen) draw(b []byte, lines []string) []byte {
	for _, l := range lines {
		b = append(append(append(b, line...), l...), "\r\n"...)
	}
	s.lines = append(s.lines[:0], lines...)
	return append(b, below...)
}

// write does its best: a terminal that has gone away is no error of the command's.
func (s *Screen) write(b []byte) {
	s.buf = b
	_, _ = s.out.Write(b)
}
