package sidecar

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
	"github.com/tailspan/tailspan/spans"
)

// everyKind is a recording of stalled's write, of a broker whose requests cannot
// be read, and of an fsync after it, with a record of each kind of what happens
// inside them.
func everyKind(tb testing.TB) []byte {
	const ms = 1_000_000
	named := func(b []byte, name string, size int) []byte {
		return append(append(b, name...), make([]byte, size-len(name))...)
	}
	word := func(lo, hi uint64) uint64 { return hi<<32 | lo }
	kind := func(k bpf.Kind, at uint64, words ...uint64) []byte {
		return named(rawRecord(k, 0, at, words...), comm, 16)
	}
	sample := named(rawRecord(bpf.KindSample, 1, 107*ms), comm, 16)
	stats := rawRecord(bpf.KindCommitStats, 0, 140*ms, word(9, 7), word(3, 4), 0, 0, 0, 0)
	fsync := named(kind(bpf.KindFsync, 150*ms, 111*ms, 42, 0), "00000000000000000000.log", 40)
	fsync[3] = byte(len("orders-3"))
	origin := append(kind(bpf.KindCommitOrigin, 112*ms, word(9, uint64(bpf.OriginFsync)), word(7, 8)), make([]byte, 8)...)
	gc := rawRecord(bpf.KindGC, 0, 110*ms+800_000, 110*ms+200_000)
	operation := append(rawRecord(bpf.KindVMOperation, len("G1CollectFull"), 110*ms+900_000, 110*ms+100_000), "G1CollectFull"...)
	const head, length, magic = 96, 8, 16 // of the batch, in a write
	write := stalled()[1]
	write[2], write[head+length+3], write[head+magic] = 1, 188, 2 // flag: it begins with a batch
	waited := append(rawRecord(bpf.KindOffCPU, 1, 139*ms, 131*ms, 139*ms), comm+"\x01\x00\x00\x00\x00\x00\x00\x00"...)
	records := append(stalled()[:1], append(sample, 1, 0, 0, 0, 0, 0, 0, 0),
		kind(bpf.KindJournalWait, 101*ms, 10*ms, word(9, uint64(bpf.WaitHandle))),
		kind(bpf.KindBlockIO, 102*ms, 12*ms, 4096, word(8192, 1), 0),
		write, gc, operation,
		rawRecord(bpf.KindJournal, 0, 111*ms+1, word(9, uint64(bpf.PhaseStart))), origin,
		kind(bpf.KindFastCommit, 120*ms, 112*ms, word(9, 3), 0),
		kind(bpf.KindLogForce, 130*ms, 121*ms, 1),
		waited, stats, rawRecord(bpf.KindJournal, 0, 140*ms, word(9, uint64(bpf.PhaseEnd))),
		append(fsync, "orders-3"...))

	var b bytes.Buffer
	w := recording.NewWriter(&b, recording.Header{Tailspan: "test"})
	w.Fact(recording.Fact{Broker: &recording.Broker{PID: 7, Cluster: "c", Encrypted: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9093")},
		Devices: map[event.Device]string{8 << 20: "ext4"}, Disks: map[event.Device][]event.Device{8 << 20: {8 << 20}}}})
	w.Fact(recording.Fact{Threads: &recording.Threads{PID: 7, Names: map[int32]string{8: "data-plane-kafka-request-handler-24"}}})
	w.Fact(recording.Fact{Symbols: map[uint64]string{1: "do_get_write_access"}})
	for i, raw := range records {
		for n, all := 0, bpf.StackOf(raw); n < all.Len(); n++ {
			all.Set(n, 1)
		}
		w.Probe(int64(i+1)*ms, raw)
	}
	w.Fact(recording.Fact{Progress: &recording.Mark{Time: event.Time(time.Minute)}})
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// A replay of every kind of record: no record is malformed, and what happened
// inside the calls stands in the traces.
func TestReplayOfEveryKind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kinds.pcapng")
	if err := os.WriteFile(path, everyKind(t), 0o600); err != nil {
		t.Fatal(err)
	}
	printed, s := replayed(t, path, config.Config{Print: "traces"})
	if st := s.probes.Stats(); st.Malformed != 0 || st.Records != 15 {
		t.Errorf("%+v", st)
	}
	for _, name := range []string{spans.NameWrite, spans.NameKernelWait, spans.NameHandleWait, spans.NameBlockIO,
		spans.NameFsync, spans.NameJBD2Commit, spans.NameFastCommit, spans.NameLogForce, spans.NameJournalCommit,
		spans.NameVMOperation, spans.NameGC} {
		if !strings.Contains(printed, `"name":"`+name+`"`) {
			t.Errorf("no %s", name)
		}
	}
}
