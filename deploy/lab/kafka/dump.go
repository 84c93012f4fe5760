package kafka

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Batch is a record batch as DumpLogSegments finds it in a segment.
type Batch struct {
	BaseOffset int64
	Position   int64 // in the file
	Size       int64
	CRC        uint32
	Codec      string
	Control    bool // a transaction marker
	Valid      bool
}

// batchLine is one line of DumpLogSegments.
var batchLine = regexp.MustCompile(`^baseOffset: (\d+) .* position: (\d+) .* size: (\d+) .* compresscodec: (\S+) crc: (\d+) isvalid: (\S+)`)

// Dump lists the batches of segment files, by file name as given.
func (d *Dist) Dump(ctx context.Context, files ...string) (map[string][]Batch, error) {
	out, err := d.runTool(ctx, "kafka.tools.DumpLogSegments", "--files", strings.Join(files, ","))
	if err != nil {
		return nil, fmt.Errorf("dump segments: %w", err)
	}
	return parseDump(out)
}

// DumpLogDir lists the batches of all segments of a log directory, by
// topic-partition/segment.log.
func (d *Dist) DumpLogDir(ctx context.Context, dir string) (map[string][]Batch, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*-*", "*.log"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("dump segments: none below %s (%v)", dir, err)
	}
	byPath, err := d.Dump(ctx, files...)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]Batch, len(byPath))
	for path, batches := range byPath {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return nil, err
		}
		out[name] = batches
	}
	return out, nil
}

func parseDump(out []byte) (map[string][]Batch, error) {
	all := map[string][]Batch{}
	file := ""
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "Dumping "); ok {
			file = name
			all[file] = nil
		} else if strings.HasPrefix(line, "baseOffset: ") {
			b, err := parseBatch(line)
			if err != nil {
				return nil, err
			}
			all[file] = append(all[file], b)
		}
	}
	return all, nil
}

func parseBatch(line string) (Batch, error) {
	m := batchLine.FindStringSubmatch(line)
	if m == nil {
		return Batch{}, fmt.Errorf("dump segments: unknown line %q", line)
	}
	var n [4]int64
	for i, s := range []string{m[1], m[2], m[3], m[5]} {
		var err error
		if n[i], err = strconv.ParseInt(s, 10, 64); err != nil {
			return Batch{}, fmt.Errorf("dump segments: %w in %q", err, line)
		}
	}
	return Batch{BaseOffset: n[0], Position: n[1], Size: n[2], Codec: m[4], CRC: uint32(n[3]),
		Control: strings.Contains(line, " isControl: true "), Valid: m[6] == "true"}, nil
}
