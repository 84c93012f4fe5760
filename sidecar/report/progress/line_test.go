package progress

import (
	"testing"
	"time"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     state
		width int
		ascii bool
		want  string
	}{
		{"half", state{"reading a.pcapng", 4 * time.Second, 600_000_000, 1_200_000_000, nil}, 100, false,
			"reading a.pcapng  ━━━━━━━━━━━━━━━───────────────  50 % · 600.0 MB of 1200.0 MB · 4s left"},
		{"ASCII", state{"reading a.pcapng", 4 * time.Second, 600_000_000, 1_200_000_000, nil}, 80, true,
			"reading a.pcapng  ========--------  50 %, 600.0 MB of 1200.0 MB, 4s left"},
		{"narrow", state{"reading a.pcapng", 4 * time.Second, 600_000_000, 1_200_000_000, nil}, 40, false,
			"reading a.pcapng  50 % · 600.0 MB of 120"},
		{"a pipe", state{"reading /dev/stdin", 75 * time.Second, 600_000_000, 0, nil}, 80, false,
			"reading /dev/stdin  600.0 MB · 8000.0 kB/s · 1m15s"},
		{"grown since", state{"reading a", 3 * time.Second, 2000, 1000, nil}, 80, false,
			"reading a  ━━━━━━━━━━━━━━━━━━━━━━━  100 % · 2000 B of 1000 B · 0s left"},
		{"nothing read", state{"examining this host", 3 * time.Second, 0, 0, nil}, 80, false, "examining this host  3s"},
		{"not yet", state{"reading a", 3 * time.Second, 0, 1000, nil}, 80, false, "reading a  ───────────────────────  0 % · 3s"},
		{"a recording", state{"recording to \x1b[2Ja", 2*time.Hour + 65*time.Second, 0, 0, []string{"34.1 MB", "nothing lost"}}, 80, false,
			`recording to \x1b[2Ja  2h01m · 34.1 MB · nothing lost`},
	} {
		got := c.s.line(c.width, c.ascii)
		if n := utf8.RuneCountInString(got); got != c.want || n > c.width {
			t.Errorf("%s: %q, %d columns\nwant %q", c.name, got, n, c.want)
		}
	}
}
