package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/report/screen"
)

// seen waits until a terminal has taken all that was written to it.
func seen(t *testing.T, x *Terminal, want string) {
	t.Helper()
	if err := x.Until(5*time.Second, func(s string) bool { return s == want }); err != nil {
		t.Errorf("%v\nwanted\n%s", err, want)
	}
}

func open(t *testing.T, columns, rows int) (*Terminal, *screen.Screen) {
	t.Helper()
	t.Setenv("TERM", "xterm")
	x, err := Open(columns, rows)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	s := screen.Of(x.Far)
	if s == nil {
		t.Fatal("it is no terminal")
	}
	return x, s
}

// Lines are drawn in place; others go above them, whole, also when they scroll out
// of the screen.
func TestLinesStayBelow(t *testing.T) {
	x, s := open(t, 20, 6)
	log := s.Above(x.Far)
	fmt.Fprintln(log, "first")
	s.Show([]string{"one", "two"})
	seen(t, x, "first\none\ntwo\n")
	s.Show([]string{"ONE"})
	seen(t, x, "first\nONE\n")
	s.Show([]string{"a line that is wider than the terminal", "", "three"})
	seen(t, x, "first\na line that is widel\n\nthree\n")
	for i := range 10 {
		fmt.Fprintln(log, "log", i)
		s.Show([]string{fmt.Sprint("frame ", i), "below"})
	}
	seen(t, x, "log 7\nlog 8\nlog 9\nframe 9\nbelow\n")
	want := "first\n"
	for i := range 10 {
		want += fmt.Sprintln("log", i)
	}
	if got := x.Text(); got != want+"frame 9\nbelow\n" {
		t.Errorf("in all\n%s", got)
	}
	s.Clear()
	seen(t, x, "log 7\nlog 8\nlog 9\n")
	if x.CursorHidden() {
		t.Error("the cursor is hidden")
	}
}

// What another writes without an end of its line is not torn: the lines wait.
func TestAnUnendedLine(t *testing.T) {
	x, s := open(t, 40, 8)
	log := s.Above(x.Far)
	s.Show([]string{"view"})
	fmt.Fprint(log, "half of ")
	s.Show([]string{"view again"})
	seen(t, x, "half of\n")
	fmt.Fprint(log, "a line\n")
	s.Show([]string{"view again"})
	seen(t, x, "half of a line\nview again\n")
	s.Leave()
	fmt.Fprintln(log, "the end")
	seen(t, x, "half of a line\nview again\nthe end\n")
}

// A terminal that is lower than the lines shows the first of them; one that becomes
// narrower keeps what is not the view's.
func TestSmallAndResized(t *testing.T) {
	x, s := open(t, 30, 4)
	log := s.Above(x.Far)
	s.Show([]string{"1", "2", "3", "4", "5"})
	seen(t, x, "1\n2\n3\n")
	fmt.Fprintln(log, "log")
	if err := x.Until(5*time.Second, func(s string) bool { return x.Text() == "log\n"+s && s == "1\n2\n3\n" }); err != nil {
		t.Errorf("%v in all\n%s", err, x.Text())
	}
	if err := x.Resize(10, 8); err != nil {
		t.Fatal(err)
	}
	s.Show([]string{"a", "b"})
	if err := x.Until(5*time.Second, func(s string) bool { return strings.HasSuffix(s, "a\nb\n") }); err != nil {
		t.Error(err)
	}
	if columns, rows := s.Size(); columns != 10 || rows != 8 {
		t.Errorf("%d by %d", columns, rows)
	}
}

// A process that was stopped, and goes on, leaves what the shell wrote meanwhile.
func TestStopped(t *testing.T) {
	x, s := open(t, 40, 8)
	s.Show([]string{"view 1", "below"})
	time.Sleep(2100 * time.Millisecond)
	fmt.Fprintln(x.Far, "[1]+ Stopped")
	s.Show([]string{"view 2", "below"})
	seen(t, x, "view 1\nbelow\n[1]+ Stopped\nview 2\nbelow\n")
	s.Show([]string{"view 3"})
	seen(t, x, "view 1\nbelow\n[1]+ Stopped\nview 3\n")
}

// What is no terminal, or one without a cursor, shows nothing; what goes elsewhere
// than to the terminal goes there alone.
func TestElsewhere(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if screen.Of(w) != nil {
		t.Error("a pipe is a terminal")
	}
	x, s := open(t, 30, 5)
	s.Show([]string{"view"})
	fmt.Fprint(s.Above(w), "log\n")
	w.Close()
	if b, err := io.ReadAll(r); string(b) != "log\n" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	seen(t, x, "view\n")
	for _, kind := range []string{"dumb", ""} {
		t.Setenv("TERM", kind)
		if screen.Of(x.Far) != nil {
			t.Errorf("TERM=%s moves its cursor", kind)
		}
	}
	var none *screen.Screen
	none.Show([]string{"x"})
	none.Clear()
	none.Leave()
	if none.Above(w) != io.Writer(w) || none.File() != nil {
		t.Error("without a terminal")
	}
}
