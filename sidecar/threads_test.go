package sidecar

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// TestThreadNamesOfRecording: a run and its replay call the same threads by the
// same names, whatever came between which records.
func TestThreadNamesOfRecording(t *testing.T) {
	path := filepath.Join(t.TempDir(), "threads.pcapng")
	w, err := recording.Create(path, recording.Header{Tailspan: "test"})
	if err != nil {
		t.Fatal(err)
	}
	c := config.Config{Print: "writes", Format: "jsonl"}
	var printed bytes.Buffer
	s, err := New(Options{Config: c, Stdout: &printed, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.record = w
	l := &live{Sidecar: s, named: make(chan named)}
	at := uint64(time.Second)
	write := func() {
		raw := stalled()[1]
		binary.LittleEndian.PutUint64(raw[16:], at+10)
		binary.LittleEndian.PutUint64(raw[24:], at)
		at += 1000
		l.probe(raw)
	}
	name := func(names map[int32]string) { // as from the goroutine that asks
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.name(t.Context(), recording.Threads{PID: 7, Names: names})
		}()
		for {
			l.takeNames()
			select {
			case <-done:
				return
			default:
			}
		}
	}
	const dumped, started = "data-plane-kafka-request-handler-24", "data-plane-kafka-request-handler-1"
	const short = "data-plane-kafk"
	write()
	name(map[int32]string{8: dumped, 9: "other"})
	write()
	l.probe(append(rawRecord(bpf.KindThreadStart, len(started), at, 1), started...))
	write()
	name(map[int32]string{8: dumped})
	write()
	name(nil)
	write()
	if err := s.advance(event.Time(time.Minute)); err != nil {
		t.Fatal(err)
	}
	w.Fact(recording.Fact{Progress: &recording.Mark{Time: event.Time(time.Minute)}})
	if err := errors.Join(s.out.close(t.Context()), w.Close()); err != nil {
		t.Fatal(err)
	}
	again, _ := replayed(t, path, c)
	for _, text := range []string{printed.String(), again} {
		var got []string
		for d := json.NewDecoder(bytes.NewBufferString(text)); d.More(); {
			var row struct{ Thread string }
			if err := d.Decode(&row); err != nil {
				t.Fatal(err)
			}
			got = append(got, row.Thread)
		}
		if want := []string{short, dumped, started, started, short}; !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
}
