package probe

import (
	"encoding/binary"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
)

func TestPartition(t *testing.T) {
	n := newNames()
	for dir, want := range map[string]event.TopicPartition{
		"orders-0":             {Topic: "orders", Partition: 0},
		"a-b-c-12":             {Topic: "a-b-c", Partition: 12},
		"orders.2-3":           {Topic: "orders.2", Partition: 3},
		"__consumer_offsets-7": {Topic: "__consumer_offsets", Partition: 7},
	} {
		if got, ok := n.partition([]byte(dir)); !ok || got != want {
			t.Errorf("%s: %v %v", dir, got, ok)
		}
	}
	for _, dir := range []string{
		"", "orders", "-0", "orders-", "orders-x", "orders--", "orders-+1", "orders-99999999999",
		"orders-0.3a4f1e5c0a8b4f7d8a0e3f4b5c6d7e8f-future",
		"orders-0.3a4f1e5c0a8b4f7d8a0e3f4b5c6d7e8f-delete",
		"orders-0.3a4f1e5c0a8b4f7d8a0e3f4b5c6d7e8f-stray",
	} {
		if got, ok := n.partition([]byte(dir)); ok {
			t.Errorf("%q is no partition, got %v", dir, got)
		}
	}
}

// The layouts below are bpf/kern/record.h's.
func header(kind byte, tail int, at uint64) []byte {
	b := []byte{kind, 1, 0, byte(tail)}
	for _, v := range []uint32{100, 101, 8 << 20} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return binary.LittleEndian.AppendUint64(b, at)
}

func rawWrite(dir string, batch bool) []byte {
	b := header(1, len(dir), 2000)
	if batch {
		b[2] = 1
	}
	for _, v := range []uint64{1000, 42, 512, 200} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = append(b, "data-plane-kafk\x00"...)
	b = append(b, "00000000000000000000.log"...)
	head := make([]byte, 64)
	binary.BigEndian.PutUint64(head, 77)       // base offset
	binary.BigEndian.PutUint32(head[8:], 188)  // length
	binary.BigEndian.PutUint32(head[12:], 5)   // leader epoch
	head[16] = 2                               // magic
	binary.BigEndian.PutUint32(head[17:], 0xc) // CRC
	binary.BigEndian.PutUint32(head[57:], 3)   // records
	return append(append(b, head...), dir...)
}

func rawPhase(phase uint32, at uint64) []byte {
	b := binary.LittleEndian.AppendUint32(header(4, 0, at), 9)
	return binary.LittleEndian.AppendUint32(b, phase)
}

func convert(t testing.TB, raws ...[]byte) (all []event.Event, c *Converter) {
	c = New(Options{Emit: func(e event.Event) { all = append(all, e) }})
	c.FileSystem(8<<20, "ext4")
	for _, raw := range raws {
		c.Record(raw)
	}
	return all, c
}

func TestWrite(t *testing.T) {
	all, c := convert(t, rawWrite("orders-3", true), rawWrite("orders-3.0123-future", true), rawWrite("orders-3", false))
	if len(all) != 2 || c.Stats().NotALog != 1 || c.Stats().NoBatch != 1 {
		t.Fatalf("%d events, %+v", len(all), c.Stats())
	}
	w := all[0].(*event.Write)
	want := event.Write{Start: 1000, End: 2000, Thread: event.Thread{PID: 100, TID: 101, Name: "data-plane-kafk"},
		TopicPartition: event.TopicPartition{Topic: "orders", Partition: 3}, File: "orders-3/00000000000000000000.log",
		Device: 8 << 20, Inode: 42, Offset: 512, Bytes: 200,
		Batch: true, BaseOffset: 77, BatchBytes: 200, CRC: 0xc, Records: 3, LeaderEpoch: 5}
	if *w != want {
		t.Errorf("got %+v\nwant %+v", *w, want)
	}
	if all[1].(*event.Write).Batch {
		t.Error("a write without a batch has one")
	}
}

func TestCommit(t *testing.T) {
	all, _ := convert(t, rawPhase(3, 5), rawPhase(1, 10), rawPhase(2, 20), rawPhase(3, 30), rawPhase(4, 40), rawPhase(5, 50), rawPhase(5, 60))
	if len(all) != 2 {
		t.Fatalf("%d events: a phase without a start is none", len(all))
	}
	want := event.Commit{Start: 10, Locking: 20, Flushing: 30, Logging: 40, End: 50, Device: 8 << 20, Transaction: 9, TID: 101}
	if k := all[1].(*event.Commit); *k != want {
		t.Errorf("got %+v", *k)
	}
}

func TestMalformed(t *testing.T) {
	all, c := convert(t, nil, []byte{1, 2, 3}, rawWrite("orders-3", true)[:170])
	if len(all) != 0 || c.Stats().Malformed != 3 {
		t.Errorf("%d events, %+v", len(all), c.Stats())
	}
}

// BenchmarkRecord is one ring-buffer record to its event.
func BenchmarkRecord(b *testing.B) {
	c := New(Options{Emit: func(event.Event) {}})
	raw := rawWrite("orders-3", true)
	b.ReportAllocs()
	for b.Loop() {
		c.Record(raw)
	}
}
