package bpf

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// encode is kern/record.h once more, from the Go side.
func encode(r *Record) []byte {
	raw := make([]byte, headerSize, maxRecord)
	raw[0], raw[1] = byte(r.Kind), recordVersion
	le.PutUint32(raw[4:], uint32(r.TGID))
	le.PutUint32(raw[8:], uint32(r.TID))
	le.PutUint64(raw[16:], uint64(r.Time))
	dev := raw[12:]
	u64 := func(v uint64) { raw = le.AppendUint64(raw, v) }
	fixed := func(b []byte, n int) { raw = append(append(raw, b...), make([]byte, n-len(b))...) }
	switch r.Kind {
	case KindWrite:
		w := &r.Write
		le.PutUint32(dev, w.Device)
		u64(uint64(w.Start))
		u64(w.Inode)
		u64(uint64(w.Offset))
		u64(uint64(w.Result))
		fixed(w.Comm, commLen)
		fixed(w.Name, nameLen)
		fixed(w.Head, headLen+3)
		raw = append(raw, w.Dir...)
		raw[3] = byte(len(w.Dir))
		if w.Head != nil {
			raw[2] |= writeBatch
		}
		if w.Unread {
			raw[2] |= writeUnread
		}
	case KindDirtyInode:
		d := &r.DirtyInode
		le.PutUint32(dev, d.Device)
		u64(uint64(d.Start))
		u64(d.Inode)
		fixed(d.Comm, commLen)
	case KindJournal:
		le.PutUint32(dev, r.Journal.Device)
		u64(uint64(r.Journal.Phase)<<32 | uint64(r.Journal.Transaction))
	case KindMonitorEnter, KindMonitorEntered, KindMonitorExit:
		m := &r.Monitor
		u64(m.Address)
		u64(uint64(m.JavaThread))
		fixed(m.Comm, commLen)
		raw = append(raw, m.Class...)
		raw[3] = byte(len(m.Class))
		if m.ClassCut {
			raw[2] |= monitorCut
		}
	default:
		raw = encodeKernel(r, raw)
	}
	return raw
}

func write() *Record {
	return &Record{Kind: KindWrite, TGID: 1 << 22, TID: 77, Time: 2_000, Write: Write{
		Start: 1_000, Device: 8<<20 | 1, Inode: 1 << 40, Offset: 123_456_789_012, Result: 4096,
		Comm: []byte("data-plane-kafk"), Name: []byte("00000000000000000000.log"),
		Dir: []byte("orders-0"), Head: batch(1, headLen)}}
}

func samples() []*Record {
	unread := write()
	unread.Write.Head, unread.Write.Unread, unread.Write.Result = nil, true, -14
	unread.Write.Dir = []byte(strings.Repeat("d", 255))
	monitor := Monitor{Address: 0x7f00_dead_beef, JavaThread: -1, Comm: []byte("sixteen_bytes_ok")}
	enter := monitor
	enter.Class = []byte("java/lang/Object")
	cut := monitor
	cut.Class, cut.ClassCut = []byte(strings.Repeat("c", maxClass)), true
	return []*Record{
		write(), unread,
		{Kind: KindWake, TGID: 1, TID: 2, Time: 3},
		{Kind: KindDirtyInode, TGID: 1, TID: 2, Time: 9, DirtyInode: DirtyInode{5, 7, 11, []byte("x")}},
		{Kind: KindJournal, TGID: 1, TID: 1, Time: 4, Journal: Journal{7, 1<<32 - 1, PhaseEnd}},
		{Kind: KindMonitorEnter, TGID: 1, TID: 2, Time: 3, Monitor: enter},
		{Kind: KindMonitorEnter, TGID: 1, TID: 2, Time: 3, Monitor: cut},
		{Kind: KindMonitorEntered, TGID: 1, TID: 2, Time: 3, Monitor: monitor},
		{Kind: KindMonitorExit, TGID: 1, TID: 2, Time: 3, Monitor: monitor},
		{Kind: KindOffCPU, Time: 9, OffCPU: OffCPU{1, 2, true, false, []byte("x"), batch(1, 8*maxStack)}},
		{Kind: KindOffCPU, Time: 9, OffCPU: OffCPU{1, 2, false, true, []byte("x"), nil}},
		{Kind: KindSample, Time: 9, Sample: Sample{[]byte("x"), batch(1, 24)}},
		{Kind: KindFsync, Time: 9, Fsync: Fsync{1, 7, 11, -5, true, []byte("x"), []byte(segment + ".and.more"), []byte("orders-0")}},
		{Kind: KindJournalWait, Time: 9, JournalWait: JournalWait{1, 7, 3, WaitGrant, []byte("x")}},
		{Kind: KindCommitOrigin, Time: 9, CommitOrigin: CommitOrigin{7, 3, OriginSpace, 4, 5, []byte("x"), 6, 8}},
		{Kind: KindCommitStats, Time: 9, CommitStats: CommitStats{7, 3, 1, 2, 4, 1 << 40, 5, 6, 8, 9, 10, 11}},
		{Kind: KindFastCommit, Time: 9, FastCommit: FastCommit{1, 7, 3, 4, -5, []byte("x")}},
		{Kind: KindLogForce, Time: 9, LogForce: LogForce{1, 7, 3, []byte("x")}},
		{Kind: KindBlockIO, Time: 9, BlockIO: BlockIO{1, 7, 1 << 40, 4096, 1, -5, []byte("x")}},
	}
}

func TestDecode(t *testing.T) {
	var got Record // reused, as it is meant to be
	for _, want := range samples() {
		raw := encode(want)
		if err := Decode(raw, &got); err != nil {
			t.Errorf("%v: %v", want.Kind, err)
			continue
		}
		if again := encode(&got); !bytes.Equal(again, raw) {
			t.Errorf("%v:\n got % x\nwant % x", want.Kind, again, raw)
		}
	}
}

func TestDecodeFields(t *testing.T) {
	var r Record
	if err := Decode(encode(write()), &r); err != nil {
		t.Fatal(err)
	}
	w := r.Write
	check(t, "tgid", r.TGID, 1<<22)
	check(t, "tid", r.TID, 77)
	check(t, "time", r.Time, 2_000)
	check(t, "start", w.Start, 1_000)
	check(t, "device", w.Device, 8<<20|1)
	check(t, "inode", w.Inode, 1<<40)
	check(t, "offset", w.Offset, 123_456_789_012)
	check(t, "result", w.Result, 4096)
	check(t, "comm", string(w.Comm), "data-plane-kafk")
	check(t, "name", string(w.Name), "00000000000000000000.log")
	check(t, "dir", string(w.Dir), "orders-0")
	check(t, "head", string(w.Head), string(batch(1, headLen)))
}

func TestDecodeRefuses(t *testing.T) {
	change := func(at int, to byte) []byte {
		raw := encode(write())
		raw[at] = to
		return raw
	}
	journal := encode(&Record{Kind: KindJournal, Journal: Journal{Phase: phaseCount}})
	whole := encode(write())
	for name, raw := range map[string][]byte{
		"nothing":           nil,
		"no kind":           change(0, 0),
		"an unknown kind":   change(0, byte(kindCount)),
		"another version":   change(1, recordVersion+1),
		"an unknown flag":   change(2, 0x80),
		"a contradiction":   change(2, writeBatch|writeUnread),
		"a longer tail":     change(3, whole[3]+1),
		"a shorter tail":    change(3, whole[3]-1),
		"an unknown phase":  journal,
		"a class of 81":     append(encode(&Record{Kind: KindMonitorEnter})[:monitorSize], make([]byte, 81)...),
		"a wake with tail":  append(encode(&Record{Kind: KindWake}), 0),
		"only half of it":   whole[:len(whole)/2],
		"a byte too little": whole[:len(whole)-1],
		"a byte too many":   append(slices.Clone(whole), 0),
	} {
		r := *write()
		if err := Decode(raw, &r); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
		if r.Kind != 0 || r.Time != 0 || r.Write.Dir != nil {
			t.Errorf("%s: left %+v", name, r)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	var r Record
	for _, s := range samples() {
		raw := encode(s)
		if n := testing.AllocsPerRun(100, func() { _ = Decode(raw, &r) }); n != 0 {
			t.Errorf("%v: %v allocations", s.Kind, n)
		}
	}
}

// What is accepted is exactly what the bytes say, but for padding, names' ends
// and the absent header; what is refused leaves nothing behind.
func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		f.Add(encode(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		var r Record
		err := Decode(raw, &r)
		if !bytes.Equal(raw, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if r.Kind != 0 || r.Write.Dir != nil || r.Monitor.Class != nil {
				t.Fatalf("after %v: %+v", err, r)
			}
			return
		}
		if len(raw) > maxRecord {
			t.Fatalf("a record of %d bytes", len(raw))
		}
		var again Record
		if err := Decode(encode(&r), &again); err != nil {
			t.Fatalf("%v of %+v", err, r)
		}
		if !bytes.Equal(encode(&r), encode(&again)) {
			t.Fatalf("%+v became %+v", r, again)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, s := range samples() {
		raw := encode(s)
		b.Run(s.Kind.String(), func(b *testing.B) {
			b.ReportAllocs()
			var r Record
			for b.Loop() {
				if err := Decode(raw, &r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestDevice(t *testing.T) {
	for _, c := range []struct {
		st   uint64
		want uint32
	}{
		{0x801, 8<<20 | 1},
		{0x10305, 259<<20 | 5},
		{0x100300, 3<<20 | 256}, // the minor's higher bits stand above the major
	} {
		check(t, "device", Device(c.st), c.want)
	}
}
