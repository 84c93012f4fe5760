package kafka

import (
	"testing"
	"time"
)

func TestParseDump(t *testing.T) {
	const out = `Dumping /d/orders-0/00000000000000000000.log
Log starting offset: 0
baseOffset: 6 lastOffset: 11 count: 6 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 1926 CreateTime: 1763877600000 size: 1925 magic: 2 compresscodec: zstd crc: 4294967295 isvalid: true
`
	got, err := parseDump([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	want := Batch{BaseOffset: 6, Position: 1926, Size: 1925, CRC: 1<<32 - 1, Codec: "zstd", Valid: true}
	if b := got["/d/orders-0/00000000000000000000.log"]; len(b) != 1 || b[0] != want {
		t.Errorf("got %+v, want %+v", b, want)
	}
	if _, err := parseDump([]byte("baseOffset: x\n")); err == nil {
		t.Error("a line that is not understood went by")
	}
}

func TestSummaryLine(t *testing.T) {
	m := summaryLine.FindStringSubmatch("37500 records sent, 2499.8 records/sec (0.72 MB/sec), 1.18 ms avg latency, 310.00 ms max latency, 1 ms 50th, 2 ms 95th, 5 ms 99th, 12 ms 99.9th.")
	if m == nil {
		t.Fatal("not recognised")
	}
	s := parseSummary(m)
	if s.Records != 37500 || s.P99 != 5*time.Millisecond || s.Max != 310*time.Millisecond || s.RecordsPerSecond != 2499.8 {
		t.Errorf("got %+v", s)
	}
}
