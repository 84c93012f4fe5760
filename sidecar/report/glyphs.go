package report

import "strconv"

// glyphs are what a picture is drawn with.
type glyphs struct {
	tee, end, rail, blank string       // the tree
	bar                   [3][3]string // by the weights of the left and the right half cell
	rule, tick            string       // the axis
	before, after         string       // the bar goes on beyond it
	arrow, dot, almost    string
	micro, more           string
}

var (
	utf8Glyphs = &glyphs{
		tee: "├─ ", end: "└─ ", rail: "│  ", blank: "   ",
		bar: [3][3]string{
			empty: {empty: " ", light: "╶", heavy: "╺"},
			light: {empty: "╴", light: "─", heavy: "╼"},
			heavy: {empty: "╸", light: "╾", heavy: "━"},
		},
		rule: "─", tick: "┬", before: "◂", after: "▸",
		arrow: "→", dot: " · ", almost: "≈", micro: "µ", more: "…",
	}
	asciiGlyphs = &glyphs{
		tee: "|- ", end: "`- ", rail: "|  ", blank: "   ",
		bar: [3][3]string{
			empty: {empty: " ", light: "-", heavy: "="},
			light: {empty: "-", light: "-", heavy: "="},
			heavy: {empty: "=", light: "=", heavy: "="},
		},
		rule: "-", tick: "+", before: "<", after: ">",
		arrow: "->", dot: ", ", almost: "~", micro: "u", more: "...",
	}
)

// style is an ANSI rendition, "" for the terminal's own.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	blue   style = "34"
	purple style = "35"
	cyan   style = "36"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
