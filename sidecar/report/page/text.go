package page

import (
	"strings"
	"unicode/utf8"

	"github.com/tailspan/tailspan/sidecar/report"
)

const (
	maxText  = 256  // bytes of one name
	maxLines = 4096 // and of a text of several lines: a stack
)

// cut shortens a text, between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// text is a name from outside, of bounded length and with nothing in it that
// does not show.
func text(s string) string { return report.Clean(cut(s, maxText)) }

// short is a phrase in which names are clean already.
func short(s string) string { return cut(s, 4*maxText) }

// lines is a text whose line breaks stay.
func lines(s string) string {
	all := strings.Split(cut(s, maxLines), "\n")
	for i := range all {
		all[i] = report.Clean(all[i])
	}
	return strings.Join(all, "\n")
}
