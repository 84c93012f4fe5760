package sidecar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// rawRecord is a probe record's common part (bpf/kern/record.h) and words.
func rawRecord(kind bpf.Kind, tail int, at uint64, words ...uint64) []byte {
	b := []byte{byte(kind), 1, 0, byte(tail)}
	for _, v := range []uint32{7, 8, 8 << 20} { // process, thread, device
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, v := range append([]uint64{at}, words...) {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

const comm = "data-plane-kafk\x00"

// stalled are the records of a write of 100 ms to orders-3 that slept 90 of
// these for a locked transaction.
func stalled() [][]byte {
	const ms = 1_000_000
	sleep := append(rawRecord(bpf.KindOffCPU, 3, 105*ms, 10*ms, 100*ms), comm...)
	for _, a := range []uint64{0xffffffff81111110, 0xffffffff82222220, 0xffffffff83333330} {
		sleep = binary.LittleEndian.AppendUint64(sleep, a)
	}
	write := append(rawRecord(bpf.KindWrite, len("orders-3"), 110*ms, 10*ms, 42, 0, 200), comm+"00000000000000000000.log"...)
	return [][]byte{sleep, append(append(write, make([]byte, 64)...), "orders-3"...)}
}

func aFunction(address uint64) string {
	return map[uint64]string{0xffffffff81111: "__schedule", 0xffffffff82222: "wait_transaction_locked", 0xffffffff83333: "start_this_handle"}[address>>12]
}

// A recording of stacks shows no address of the kernel, and a replay names the
// functions as the run did.
func TestStacksOfRecording(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stacks.pcapng")
	w, err := recording.Create(path, recording.Header{Tailspan: "test"})
	if err != nil {
		t.Fatal(err)
	}
	c := config.Config{Print: "stacks", Format: "table", Threshold: 50 * time.Millisecond}
	var printed bytes.Buffer
	s, err := New(Options{Config: c, Stdout: &printed, Version: "test", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.record = w
	s.symbols.Functions(aFunction)
	l := &live{Sidecar: s}
	for _, raw := range stalled() {
		l.probe(raw)
	}
	if err := s.advance(event.Time(time.Minute)); err != nil {
		t.Fatal(err)
	}
	w.Fact(recording.Fact{Progress: &recording.Mark{Time: event.Time(time.Minute)}})
	if err := errors.Join(s.out.close(t.Context()), w.Close()); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, half := range []uint32{0x81111110, 0x82222220, 0x83333330} {
		if bytes.Contains(file, binary.LittleEndian.AppendUint32(nil, half)) {
			t.Errorf("the recording shows %x", half)
		}
	}
	want := "orders;transaction locked;start_this_handle;wait_transaction_locked 90000\norders;on CPU 5000\norders;run queue 5000\n"
	again, _ := replayed(t, path, c)
	for _, got := range []string{printed.String(), again} {
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
}
