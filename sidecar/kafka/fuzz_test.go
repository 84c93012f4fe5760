package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxForOracle keeps kmsg from allocating by what a hostile frame declares.
const maxForOracle = 4096

func addSeeds(f *testing.F, make func(r *rand.Rand, version int16) []byte, oldest, latest int16) {
	r := newRand(f, 11)
	for v := oldest; v <= latest; v++ {
		f.Add(uint8(v), uint8(0), make(r, v))
		f.Add(uint8(v), uint8(3), make(r, v))
	}
}

// frameOf puts a header of this version before a body.
func frameOf(body []byte, version int16, flexible bool) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(KeyProduce))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint16(b, 0xffff)
	if flexible {
		b = append(b, 0)
	}
	b = append(b, body...)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// feedAll feeds in pieces of a size (0: whole) and checks what must hold of
// any bytes: all are taken, and what is kept lies inside, in order.
func feedAll(t *testing.T, wire []byte, size int, feed func(b []byte, k *Kept) (int, error)) {
	t.Helper()
	if size == 0 {
		size = len(wire)
	}
	for len(wire) > 0 {
		piece := wire[:min(size, len(wire))]
		wire = wire[len(piece):]
		var k Kept
		n, err := feed(bytes.Clone(piece), &k)
		if err != nil || n != len(piece) {
			t.Fatalf("took %d of %d: %v", n, len(piece), err)
		}
		at := 0
		for _, x := range k.Ranges {
			if x.From < at || x.To <= x.From || x.To > len(piece) {
				t.Fatalf("kept %v of %d bytes", k.Ranges, len(piece))
			}
			at = x.To
		}
	}
}

// declaresMuch says that somewhere may stand a count of millions: kmsg loops for
// as many tags as are declared, four milliards if need be.
func declaresMuch(body []byte) bool {
	run := 0
	for _, x := range body {
		if run++; x < 0x80 {
			run = 0
		}
		if run > 2 {
			return true
		}
	}
	return false
}

func FuzzProduceRequest(f *testing.F) {
	addSeeds(f, func(r *rand.Rand, v int16) []byte { return randomProduce(r, v).AppendTo(nil) }, ProduceOldest, ProduceLatest)
	f.Fuzz(func(t *testing.T, v, size uint8, body []byte) {
		version := ProduceOldest + int16(v)%(ProduceLatest-ProduceOldest+1)
		if len(body) > maxForOracle {
			return
		}
		s := &seen{names: NewInterner(), id: "id"}
		var stream RequestStream
		feedAll(t, frameOf(body, version, version >= 9), int(size), func(b []byte, k *Kept) (int, error) {
			return stream.Feed(b, 0, k, s.names, s)
		})
		if len(s.headers) != 1 || stream.Inside() {
			t.Fatalf("%d frames", len(s.headers))
		}
		if cap(stream.feed.carry) > 2*maxUnit {
			t.Fatal("carried more than a unit")
		}
		if len(s.produces) == 0 && declaresMuch(body) {
			return
		}
		q := kmsg.NewPtrProduceRequest()
		q.SetVersion(version)
		err := q.ReadFrom(body)
		if len(s.produces) == 0 {
			if err == nil && bytes.Equal(q.AppendTo(nil), body) && !errors.Is(s.errs[0], ErrBound) {
				t.Fatalf("%v, though kmsg reads and writes it", s.errs[0])
			}
			return
		}
		if err != nil {
			t.Fatalf("decoded what kmsg refuses: %v", err)
		}
		if utf8OK(q) {
			checkProduce(t, &s.produces[0], q)
		}
	})
}

// utf8OK says that no name had to be changed to be a string.
func utf8OK(q *kmsg.ProduceRequest) bool {
	ok := func(s string) bool { return s == string([]rune(s)) }
	if q.TransactionID != nil && !ok(*q.TransactionID) {
		return false
	}
	for _, t := range q.Topics {
		if !ok(t.Topic) {
			return false
		}
	}
	return true
}

func FuzzProduceResponse(f *testing.F) {
	addSeeds(f, func(r *rand.Rand, v int16) []byte { return randomResult(r, v).AppendTo(nil) }, ProduceOldest, ProduceLatest)
	f.Fuzz(func(t *testing.T, v, size uint8, body []byte) {
		version := ProduceOldest + int16(v)%(ProduceLatest-ProduceOldest+1)
		if len(body) > maxForOracle {
			return
		}
		s := &seen{names: NewInterner(), key: KeyProduce, version: version}
		if decoded := fuzzResponse(t, s, body, version >= 9, int(size)); !decoded {
			return
		}
		q := kmsg.NewPtrProduceResponse()
		q.SetVersion(version)
		if err := q.ReadFrom(body); err != nil {
			return // a tag that kmsg knows and finds broken is passed over here
		}
		n := 0
		for _, topic := range q.Topics {
			for _, p := range topic.Partitions {
				got := s.results[0].Partitions[n]
				if got.Partition != p.Partition || got.Error != p.ErrorCode || got.BaseOffset != p.BaseOffset {
					t.Fatalf("%+v, should be %+v", got, p)
				}
				n++
			}
		}
		if n != len(s.results[0].Partitions) {
			t.Fatalf("%d partitions, should be %d", len(s.results[0].Partitions), n)
		}
	})
}

func FuzzMetadataResponse(f *testing.F) {
	addSeeds(f, func(r *rand.Rand, v int16) []byte { return randomMetadata(r, v).AppendTo(nil) }, MetadataOldest, MetadataLatest)
	f.Fuzz(func(t *testing.T, v, size uint8, body []byte) {
		version := MetadataOldest + int16(v)%(MetadataLatest-MetadataOldest+1)
		if len(body) > maxForOracle {
			return
		}
		s := &seen{names: NewInterner(), key: KeyMetadata, version: version}
		if decoded := fuzzResponse(t, s, body, true, int(size)); !decoded {
			return
		}
		q := kmsg.NewPtrMetadataResponse()
		q.SetVersion(version)
		if err := q.ReadFrom(body); err != nil {
			t.Fatalf("decoded what kmsg refuses: %v", err)
		}
		if len(s.topics[0]) > len(q.Topics) {
			t.Fatalf("%d topics, should be %d at most", len(s.topics[0]), len(q.Topics))
		}
	})
}

// fuzzResponse feeds one response and says whether it was decoded.
func fuzzResponse(t *testing.T, s *seen, body []byte, flexible bool, size int) bool {
	t.Helper()
	wire := binary.BigEndian.AppendUint32(nil, 0)
	wire = binary.BigEndian.AppendUint32(wire, 1)
	if flexible {
		wire = append(wire, 0)
	}
	wire = append(wire, body...)
	binary.BigEndian.PutUint32(wire, uint32(len(wire)-4))
	var stream ResponseStream
	feedAll(t, wire, size, func(b []byte, k *Kept) (int, error) { return stream.Feed(b, 0, k, s) })
	if len(s.errs) != 1 || stream.Inside() {
		t.Fatalf("%d frames", len(s.errs))
	}
	return s.errs[0] == nil
}
