package segment

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/sidecar/topics"
)

// fixture is a log dir of Kafka 4.1.1 (deploy/lab/cmd/segments made it), with
// what DumpLogSegments says of its segments.
const fixture = "testdata/kafka-4.1.1"

// dumped is a batch as DumpLogSegments has it, and its records' header keys.
type dumped struct {
	Batch
	codec string
	keys  []string
}

var dumpLine = regexp.MustCompile(`^baseOffset: (\d+) lastOffset: (\d+) count: (\d+) baseSequence: (-?\d+) lastSequence: -?\d+ producerId: (-?\d+) producerEpoch: (-?\d+) partitionLeaderEpoch: (\d+) .* position: (\d+) \S+ (\d+) size: (\d+) magic: 2 compresscodec: (\S+) crc: (\d+) isvalid: true$`)

// dump reads the fixture's dump.txt: file to batches.
func dump(t testing.TB) map[string][]dumped {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fixture, "dump.txt"))
	if err != nil {
		t.Fatal(err)
	}
	all, file := map[string][]dumped{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "Dumping "):
			file = strings.TrimPrefix(line, "Dumping ")
		case strings.HasPrefix(line, "baseOffset: "):
			all[file] = append(all[file], parseDumped(t, line))
		case strings.HasPrefix(line, "| offset: "):
			b := &all[file][len(all[file])-1]
			_, keys, _ := strings.Cut(line, "headerKeys: ")
			b.keys = append(b.keys, keys)
		}
	}
	if len(all) < 8 {
		t.Fatalf("%d files in the dump", len(all))
	}
	return all
}

func parseDumped(t testing.TB, line string) dumped {
	t.Helper()
	m := dumpLine.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("not understood: %q", line)
	}
	n := func(i int) int64 { v, _ := strconv.ParseInt(m[i], 10, 64); return v }
	return dumped{codec: m[11], Batch: Batch{
		Batch: kafka.Batch{BaseOffset: n(1), Length: int32(n(10)), CRC: uint32(n(12)), Records: int32(n(3)),
			ProducerID: n(5), ProducerEpoch: int16(n(6)), BaseSequence: int32(n(4))},
		Position: n(8), LeaderEpoch: int32(n(7)), LastOffset: n(2), MaxTimestamp: n(9)}}
}

// inMemory is a segment of bytes.
func inMemory(b []byte) *File {
	r := bytes.NewReader(b)
	return &File{path: "in memory", r: r, scratch: new(scratch), size: func() (int64, error) { return int64(len(b)), nil }}
}

// copied is a copy of the fixture that a test may damage.
func copied(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(fixture)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func logs(t testing.TB, dirs ...string) *Logs {
	t.Helper()
	l, err := OpenLogs(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// claims are what a recording that saw these batches written would say.
func claims(t testing.TB) (all []Claim) {
	for file, batches := range dump(t) {
		for i := range batches {
			all = append(all, claimOf(file, &batches[i].Batch))
		}
	}
	return all
}

func claimOf(file string, b *Batch) Claim {
	base := b.BaseOffset
	topic, partition, _ := topics.ParsePartition(filepath.Dir(file))
	return Claim{Topic: topic, Partition: partition, File: file, Offset: b.Position, Bytes: int64(b.Length), Response: &base, Node: 1,
		Written: Header{BaseOffset: b.BaseOffset, Bytes: b.Length, CRC: b.CRC, LeaderEpoch: b.LeaderEpoch},
		Request: Header{Bytes: b.Length, CRC: b.CRC, Records: b.Records,
			ProducerID: b.ProducerID, ProducerEpoch: b.ProducerEpoch, BaseSequence: b.BaseSequence}}
}
