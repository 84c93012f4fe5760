package flight

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
)

// printed is what `jfr print --json` prints.
type printed struct {
	Recording struct {
		Events []json.RawMessage `json:"events"`
	} `json:"recording"`
}

// PrintAnew writes the waits in a JFR file as JSON, those of each chunk by the
// clock that it took when it began. `jfr print` goes on with that of the first
// chunk as long as the metadata is the same (jdk.jfr.internal.consumer.ChunkParser
// keeps its parsers, and they their TimeConverter); where chunks differ in that, and
// in other readers, it does not.
func PrintAnew(ctx context.Context, file, to string) error {
	dir := to + ".chunks"
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := run(ctx, "jfr", nil, "disassemble", "--output", dir, "--max-chunks", "1", file); err != nil {
		return err
	}
	chunks, err := filepath.Glob(filepath.Join(dir, "*.jfr"))
	if err != nil {
		return err
	}
	slices.SortFunc(chunks, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	var all printed
	for _, chunk := range chunks {
		if err := Print(ctx, chunk, to); err != nil {
			return err
		}
		text, err := os.ReadFile(to)
		if err != nil {
			return err
		}
		var one printed
		if err := json.Unmarshal(text, &one); err != nil {
			return err
		}
		all.Recording.Events = append(all.Recording.Events, one.Recording.Events...)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
