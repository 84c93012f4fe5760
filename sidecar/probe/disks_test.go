package probe

import (
	"encoding/binary"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
)

func rawBlockIO(op uint32) []byte {
	b := header(byte(bpf.KindBlockIO), 0, 2000)
	for _, v := range []uint64{1000, 4096} { // start, sector
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, v := range []uint32{8192, op, 0, 0} { // bytes, op, error
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, "jbd2/sda1-8\x00\x00\x00\x00\x00"...)
}

// A request to a disk is told of each file system on it, once, and of no other.
func TestBlockIOOfEachFileSystem(t *testing.T) {
	var all []*event.BlockIO
	c := New(Options{Emit: func(e event.Event) { all = append(all, e.(*event.BlockIO)) }})
	c.Record(rawBlockIO(1)) // of a disk on which nothing is known to lie
	const disk = event.Device(8 << 20)
	for range 2 { // two brokers with log dirs on the same
		c.Disks(disk+1, []event.Device{disk})
		c.Disks(disk+2, []event.Device{disk + 16, disk})
	}
	c.Record(rawBlockIO(2))
	c.Record(rawBlockIO(99))
	if len(all) != 4 {
		t.Fatalf("%d events", len(all))
	}
	want := event.BlockIO{Start: 1000, End: 2000, Thread: event.Thread{PID: 100, TID: 101, Name: "jbd2/sda1-8"},
		Device: disk + 1, Disk: disk, Sector: 4096, Bytes: 8192, Op: "flush"}
	if *all[0] != want || all[1].Device != disk+2 || all[2].Op != "other" {
		t.Errorf("%+v, %+v", *all[0], *all[1])
	}
}
