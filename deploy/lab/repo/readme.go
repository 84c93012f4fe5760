package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Section is what the README has between two marks, and replace puts another
// text there.
func Section(begin, end string) (text string, replace func(string) error, err error) {
	return SectionOf("README.md", begin, end)
}

// SectionOf is that of another file of the checkout.
func SectionOf(name, begin, end string) (text string, replace func(string) error, err error) {
	root, err := Root()
	if err != nil {
		return "", nil, err
	}
	file := filepath.Join(root, name)
	all, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	before, rest, ok1 := strings.Cut(string(all), begin)
	text, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return "", nil, fmt.Errorf("%s has no %q with %q after it", name, begin, end)
	}
	return text, func(s string) error { return os.WriteFile(file, []byte(before+begin+s+end+after), 0o644) }, nil
}
