package report

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// TerminalOptions are the options that fit a file: the width and colours of a
// terminal, and ASCII where the locale is not UTF-8. NO_COLOR and TERM=dumb
// are heeded (https://no-color.org).
func TerminalOptions(f *os.File) WaterfallOptions {
	o := WaterfallOptions{Width: defaultWidth, ASCII: !isUTF8(os.Getenv)}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil { // not a terminal
		if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
			o.Width = n
		}
		return o
	}
	if size.Col > 0 {
		o.Width = int(size.Col)
	}
	o.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return o
}

// isUTF8 looks at the locale's variables in the order that POSIX gives them.
func isUTF8(getenv func(string) string) bool {
	for _, name := range [...]string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}
