package tailspan

import (
	"context"
	"encoding/json"
	"fmt"
)

// Into returns a line function that appends each line, read as a T, to rows.
func Into[T any](rows *[]T) func([]byte) error {
	return func(line []byte) error {
		var row T
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("parse row: %w in %.200q", err, line)
		}
		*rows = append(*rows, row)
		return nil
	}
}

// Replay prints one kind of row of a recording.
func Replay[T any](ctx context.Context, bin, log, file, kind string, flags ...string) ([]T, error) {
	var rows []T
	args := append([]string{"replay", "--print", kind, "--format", "jsonl"}, append(flags, file)...)
	s, err := Start(bin, log, []string{"OTEL_TRACES_EXPORTER=none"}, Into(&rows), args...)
	if err != nil {
		return nil, err
	}
	return rows, s.Finish(ctx)
}
