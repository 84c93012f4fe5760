package topics

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// maxFile bounds a --topic-ids file: 100,000 topics of the longest names.
const maxFile = 32 << 20

// LoadFile learns a --topic-ids file: a JSON object, id to name. Its facts
// hold for every broker. Nothing is learnt of a file with a mistake in it.
func (t *Table) LoadFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("load topic ids: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("load topic ids: %w", err)
	}
	if len(b) > maxFile {
		return fmt.Errorf("load topic ids: %s is longer than %d bytes", path, maxFile)
	}
	var texts map[string]string
	if err := json.Unmarshal(b, &texts); err != nil {
		return fmt.Errorf("load topic ids: parse %s: %w", path, err)
	}
	ids := make(map[[16]byte]string, len(texts))
	for text, name := range texts {
		id, err := ParseID(text)
		if err != nil {
			return fmt.Errorf("load topic ids: %s: %q: %w", path, text, err)
		}
		if !validName(name) {
			return fmt.Errorf("load topic ids: %s: %q is no topic name", path, name)
		}
		ids[id] = name
	}
	for id, name := range ids {
		t.Learn(0, id, name)
	}
	return nil
}
