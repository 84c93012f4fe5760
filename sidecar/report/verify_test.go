package report

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func verification(t *testing.T, format string) string {
	t.Helper()
	var b bytes.Buffer
	p := NewVerify(&b, format)
	row := &WrongRow{File: "orders-0/00000000000000000000.log", Offset: 1234, Bytes: 200, Topic: "orders", BaseOffset: new(int64),
		Client: "127.0.0.1:5000", CorrelationID: 7, Join: "exact", TraceID: "4bf9", Why: "evil\x1b[31m",
		Expected: BatchRow{BaseOffset: 77, Bytes: 200, CRC: 0xdeadbeef, LeaderEpoch: 3}, Found: &BatchRow{BaseOffset: 76, Bytes: 10, CRC: 1}}
	if err := p.Wrong(row); err != nil {
		t.Fatal(err)
	}
	row.Found = nil
	for range maxWrong + 4 {
		if err := p.Wrong(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Summary(&Verification{Requests: 900, Joined: 1000, Exact: 990, Inferred: 10, Verified: 960, Rewritten: 60, Wrong: 25,
		Unverifiable: 15, Reasons: map[string]uint64{"truncated": 5, "segment deleted": 10}}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestVerify(t *testing.T) {
	golden(t, "verify.txt", []byte(verification(t, "table")))
	golden(t, "verify.jsonl", []byte(verification(t, "jsonl")))
	for _, format := range []string{"table", "jsonl"} {
		if text := verification(t, format); strings.Contains(text, "\x1b") {
			t.Errorf("%s steers the terminal: %q", format, text)
		}
	}
}

func TestVerifyEmpty(t *testing.T) {
	var b bytes.Buffer
	if err := NewVerify(&b, "jsonl").Summary(&Verification{}); err != nil || !strings.HasSuffix(b.String(), `"reasons":{}}`+"\n") {
		t.Errorf("%s, %v", b.String(), err)
	}
	if err := NewVerify(broken{}, "table").Summary(&Verification{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}
