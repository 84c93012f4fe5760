package otlp

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/tailspan/tailspan/spans"
)

// records of n traces, and where each ends.
func encoded(t testing.TB, n int) (b []byte, ends []int) {
	t.Helper()
	e := newEncoder("1")
	for i := range n {
		var err error
		if b, err = appendRecord(b, e, []*spans.Trace{fiveSpans(i)}); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(b))
	}
	return b, ends
}

// readAll reads what there is, and returns why it could not go on.
func readAll(b []byte) (whole int, damaged int, err error) {
	var r recordReader
	r.reset(bytes.NewReader(b), int64(len(b)))
	for {
		_, _, _, err := r.next()
		switch {
		case err == nil:
			whole++
		case errors.Is(err, errPayload):
			damaged++
		default:
			return whole, damaged, err
		}
	}
}

// Cut anywhere, the whole records before the cut are read, and the cut is
// seen, unless it is between two.
func TestRecordsCutAnywhere(t *testing.T) {
	b, ends := encoded(t, 3)
	for cut := range len(b) + 1 {
		want, wantErr := 0, errTorn
		for _, end := range ends {
			if cut >= end {
				want++
			}
			if cut == end || cut == 0 {
				wantErr = io.EOF
			}
		}
		whole, damaged, err := readAll(b[:cut])
		if whole != want || damaged != 0 || !errors.Is(err, wantErr) {
			t.Fatalf("cut at %d: %d records, %v; want %d, %v", cut, whole, err, want, wantErr)
		}
	}
}

// One byte wrong: in a payload it costs that trace, in a header the rest.
func TestRecordsDamagedAnywhere(t *testing.T) {
	b, ends := encoded(t, 3)
	for at := ends[0]; at < ends[1]; at++ {
		bad := bytes.Clone(b)
		bad[at] ^= 0x10
		whole, damaged, err := readAll(bad)
		if at < ends[0]+recordHeader {
			if whole != 1 || damaged != 0 || !errors.Is(err, errDamaged) {
				t.Fatalf("header, byte %d: %d, %d, %v", at-ends[0], whole, damaged, err)
			}
		} else if whole != 2 || damaged != 1 || !errors.Is(err, io.EOF) {
			t.Fatalf("payload, byte %d: %d, %d, %v", at-ends[0], whole, damaged, err)
		}
	}
}

// What is zero (a file that was made longer, but not written) is no record.
func TestZeroesAreNoRecord(t *testing.T) {
	if _, _, err := readAll(make([]byte, 4096)); !errors.Is(err, errDamaged) {
		t.Error(err)
	}
}

// FuzzRecords: whatever the bytes are, no more is allocated than there are,
// every record that is given was written as such (its checksums hold, its
// place is where it says), and reading ends.
func FuzzRecords(f *testing.F) {
	b, ends := encoded(f, 3)
	f.Add(b)
	f.Add(b[:ends[1]+7])
	f.Add(make([]byte, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r recordReader
		r.reset(bytes.NewReader(b), int64(len(b)))
		var at int64
		for {
			payload, n, size, err := r.next()
			if cap(r.payload) > len(b) {
				t.Fatalf("%d bytes allocated for %d", cap(r.payload), len(b))
			}
			if err != nil && !errors.Is(err, errPayload) {
				if payload != nil || size != 0 || errors.Is(err, io.EOF) != (at == int64(len(b))) {
					t.Fatalf("at %d of %d: %v with %d bytes", at, len(b), err, size)
				}
				return
			}
			if at += size; size < recordHeader || at > int64(len(b)) || n.Traces != 1 {
				t.Fatalf("%d bytes up to %d of %d", size, at, len(b))
			}
			if err == nil && !bytes.Equal(payload, b[at-int64(len(payload)):at]) {
				t.Fatal("not the payload that is there")
			}
		}
	})
}

func TestRecordHoldsTheTrace(t *testing.T) {
	b, _ := encoded(t, 1)
	var r recordReader
	r.reset(bytes.NewReader(b), int64(len(b)))
	payload, n, _, err := r.next()
	if err != nil || n != (Count{Traces: 1, Spans: 5}) || !isRequest(payload) {
		t.Fatal(n, err)
	}
	if want := newEncoder("1").request(nil, []*spans.Trace{fiveSpans(0)}); !bytes.Equal(want, payload) {
		t.Errorf("%x, not %x", payload, want)
	}
}
