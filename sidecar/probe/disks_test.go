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

// However many file systems a recording puts on however many disks, a request is
// told of a bounded number of them.
func TestDisksAreBounded(t *testing.T) {
	n := 0
	c := New(Options{Emit: func(event.Event) { n++ }})
	const disk = event.Device(8 << 20)
	for i := range event.Device(3 * maxOnDisk) {
		c.Disks(i, []event.Device{disk})
	}
	for i := range event.Device(3 * maxDevices) {
		c.Disks(1, []event.Device{i})
		c.Record(rawJournal(i))
	}
	if c.Record(rawBlockIO(1)); n != maxOnDisk+3*maxDevices {
		t.Errorf("%d events, want %d and one for each commit", n, maxOnDisk)
	}
	if len(c.disks) > maxDevices || len(c.commits) > maxDevices {
		t.Errorf("%d disks, %d commits", len(c.disks), len(c.commits))
	}
}

func rawJournal(d event.Device) []byte {
	b := header(byte(bpf.KindJournal), 0, 1000)
	binary.LittleEndian.PutUint32(b[12:], uint32(d))
	return append(b, 9, 0, 0, 0, byte(bpf.PhaseStart), 0, 0, 0)
}
