package sidecar

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"syscall"
	"testing"

	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
)

func newSidecar(t *testing.T, c config.Config, stdout io.Writer) *Sidecar {
	t.Helper()
	c.Format = "jsonl"
	s, err := New(Options{Config: c, Stdout: stdout, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What was pushed before a mark has been assembled once batches settle, what
// lies behind it waits; nothing is lost between batches, full or not.
func TestBatchesSettle(t *testing.T) {
	const n = 3*batchSize + 17
	s := newSidecar(t, config.Config{Print: "none"}, io.Discard)
	b := s.assembleBatches()
	for i := range n {
		b.push(event.Packets, &event.Request{LastByte: event.Time(i), Conn: event.Conn(i), Acks: 1})
		if i%1000 == 999 {
			if err := b.advance(event.Time(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.settle()
	want := uint64(n / 1000 * 1000)
	if got := s.assembler.Stats().Requests; got != want || s.queue.Stats().Pending != n-int(want) {
		t.Errorf("%d assembled, %d wait; should be %d and the rest of %d", got, s.queue.Stats().Pending, want, n)
	}
	b.push(event.Packets, &event.Request{LastByte: n})
	if err := b.end(); err != nil || s.queue.Stats() != (event.QueueStats{Pending: n + 1 - int(want)}) {
		t.Errorf("%v; %+v", err, s.queue.Stats())
	}
}

// gone is a reader that has had enough.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// A reader that goes away ends the replay long before the file does.
func TestBatchesFail(t *testing.T) {
	path := unpack(t)
	_, whole := replayed(t, path, config.Config{Print: "none"})
	s := newSidecar(t, config.Config{Print: "requests"}, gone{})
	if err := s.Replay(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(s.out.err, errReaderGone) || s.decoder.Stats().Packets > whole.decoder.Stats().Packets/2 {
		t.Errorf("%v after %d packets of %d", s.out.err, s.decoder.Stats().Packets, whole.decoder.Stats().Packets)
	}
}
