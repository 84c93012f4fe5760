package bpf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ErrLayout says that a kernel event does not have the field that a program
// reads, or has it elsewhere.
var ErrLayout = errors.New("unexpected event layout")

// maxFormat bounds a format file; the longest one known has 4 KiB.
const maxFormat = 64 << 10

// field is where a tracepoint's record keeps one value.
type field struct{ offset, size uint32 }

// parseFormat reads a tracefs format file: lines such as
//
//	field:dev_t dev;	offset:8;	size:4;	signed:0;
func parseFormat(r io.Reader) (map[string]field, error) {
	fields := map[string]field{}
	lines := bufio.NewScanner(io.LimitReader(r, maxFormat))
	lines.Buffer(nil, maxFormat)
	for lines.Scan() {
		declaration, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "field:")
		if !ok {
			continue
		}
		name, f, err := parseField(declaration)
		if err != nil {
			return nil, err
		}
		fields[name] = f
	}
	return fields, lines.Err()
}

func parseField(s string) (string, field, error) {
	parts := strings.Split(s, ";")
	name := parts[0][strings.LastIndexAny(parts[0], " *")+1:]
	name, _, _ = strings.Cut(name, "[")
	f, seen := field{}, 0
	for _, p := range parts[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(p), ":")
		to := map[string]*uint32{"offset": &f.offset, "size": &f.size}[key]
		if to == nil {
			continue
		}
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return "", field{}, fmt.Errorf("%w: %s of %q: %w", ErrLayout, key, name, err)
		}
		*to, seen = uint32(n), seen+1
	}
	if name == "" || seen != 2 {
		return "", field{}, fmt.Errorf("%w: %q", ErrLayout, s)
	}
	return name, f, nil
}
