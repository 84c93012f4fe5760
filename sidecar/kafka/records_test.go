package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// Nothing of keys, values and other headers comes out anywhere.
func TestNothingElseComesOut(t *testing.T) {
	const mark = "cAnArY"
	text := strings.Repeat(mark, 20)
	for _, c := range testCodecs {
		records := []testRecord{
			{key: []byte(text), value: []byte(text), headers: [][2]string{{mark, text}, {"iD", mark}, {"traceparenT", mark}, {"id", "m-1"}}},
			{value: []byte(text), headers: [][2]string{{"traceparent", text[:55]}, {text, ""}}},
		}
		b := c.compress(t, encodeRecords(records))
		for _, cut := range []int{len(b), len(b) - 1, len(b) / 2} {
			frame := requestFrame(requestOf(wrapBatch(c.attributes, 2, b[:cut])), 1, "c")
			for _, size := range []int{0, 1, 50} {
				u := &reuse{names: NewInterner(), headers: &HeaderReader{MessageID: "id", Contexts: true}}
				var stream RequestStream
				feedAll(t, frame, size, func(b []byte, k *Kept) (int, error) {
					n, err := stream.Feed(b, 0, k, u.names, u)
					for _, x := range k.Ranges {
						if bytes.Contains(b[x.From:x.To], []byte(mark[:3])) {
							t.Fatalf("%s: kept", c.name)
						}
					}
					return n, err
				})
				p := &u.request
				list, _ := p.Contexts()
				if out := fmt.Sprintf("%+v %v %q", p.Partitions, list, p.TransactionalID); strings.Contains(out, mark[:3]) || len(list) > 0 {
					t.Fatalf("%s: %s", c.name, out)
				}
				err := u.headers.Read(&Budget{Bytes: 1 << 20, Records: 100}, c.attributes, 2, b[:cut], &headerRows{})
				if err != nil && !errors.Is(err, ErrMalformed) || err != nil && strings.Contains(err.Error(), mark[:3]) {
					t.Fatalf("%s: %v", c.name, err)
				}
			}
		}
	}
}

// What sarama and franz-go compress: see testdata/README.md.
func TestClientsHeaders(t *testing.T) {
	wire, err := os.ReadFile("testdata/produce-requests.bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 100} {
		s := &seen{names: NewInterner(), id: "id"}
		var stream RequestStream
		feedAll(t, wire, size, func(b []byte, k *Kept) (int, error) { return stream.Feed(b, 0, k, s.names, s) })
		if len(s.produces) != 10 {
			t.Fatal(len(s.produces), s.errs)
		}
		for i := range s.produces {
			at, client := s.produces[i].Partitions[0], []string{"sarama", "franz-go"}[i/5]
			list, _ := s.produces[i].Contexts()
			if s.headers[i].ClientID != client || int(at.Batch.Attributes) != i%5 {
				t.Fatalf("%d: %s, attributes %d", i, s.headers[i].ClientID, at.Batch.Attributes)
			}
			if !reflect.DeepEqual(at.MessageIDs, []string{"m-0", "m-1", "m-2"}) || len(list) != 3 || at.HeadersFailed {
				t.Errorf("%s, %s: %q %v", client, Codec(at.Batch.Attributes), at.MessageIDs, list)
			}
		}
	}
}
