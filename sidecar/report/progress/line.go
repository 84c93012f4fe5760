package progress

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailspan/tailspan/sidecar/report"
)

// state is how far a task has come.
type state struct {
	what        string
	took        time.Duration
	read, total int64 // bytes; 0: none, or not known
	notes       []string
}

const (
	minBar   = 10 // columns
	maxBar   = 30
	tellable = 0.01 // share of the whole from which on it tells how long the rest will take
	textRoom = 46   // what stands after the bar, so that it does not change its length
)

// line says it in one line of a terminal: what is done, how much of it, and how
// long the rest will take if it goes on as it did.
func (s *state) line(width int, ascii bool) string {
	done, ahead, gap := "━", "─", " · "
	if ascii {
		done, ahead, gap = "=", "-", ", "
	}
	line := report.Clean(s.what) + "  "
	if bar := min(width-utf8.RuneCountInString(line)-textRoom, maxBar); s.total > 0 && bar >= minBar {
		full := int(float64(bar) * s.share())
		line += strings.Repeat(done, full) + strings.Repeat(ahead, bar-full) + "  "
	}
	return cut(line+strings.Join(append(s.parts(), s.notes...), gap), width)
}

func (s *state) parts() (parts []string) {
	seconds := s.took.Seconds()
	switch {
	case s.total > 0 && s.share() >= tellable:
		left := seconds * float64(s.total-min(s.read, s.total)) / float64(s.read)
		return []string{s.percent(), report.Size(s.read) + " of " + report.Size(s.total), report.Clock(time.Duration(left*1e9)) + " left"}
	case s.total > 0:
		return []string{s.percent(), report.Clock(s.took)}
	case s.read > 0:
		return []string{report.Size(s.read), report.Size(int64(float64(s.read)/seconds)) + "/s", report.Clock(s.took)}
	}
	return []string{report.Clock(s.took)}
}

func (s *state) percent() string { return strconv.Itoa(int(100*s.share())) + " %" }

func (s *state) share() float64 { return min(1, float64(s.read)/float64(s.total)) }

func cut(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:max(width, 0)])
	}
	return s
}
