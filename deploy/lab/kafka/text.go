package kafka

import (
	"context"
	"fmt"
	"strings"
)

// DumpText is what DumpLogSegments says of segment files, record by record,
// their headers' names included, without keys and values.
func (d *Dist) DumpText(ctx context.Context, files ...string) (string, error) {
	out, err := d.runTool(ctx, "kafka.tools.DumpLogSegments", "--deep-iteration", "--files", strings.Join(files, ","))
	if err != nil {
		return "", fmt.Errorf("dump segments: %w", err)
	}
	return string(out), nil
}
