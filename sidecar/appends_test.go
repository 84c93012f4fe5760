package sidecar

import (
	"context"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/segment"
)

// appended are the batches of a segment of it as a broker's writes.
func appended(t testing.TB, topic string) (all []*event.Write) {
	t.Helper()
	file := segment.Name(topic, 0, 0)
	f, err := segment.Open(filepath.Join(segments, file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Each(0, math.MaxInt64, func(b segment.Batch) bool {
		all = append(all, &event.Write{Thread: event.Thread{PID: 7}, File: file, Offset: b.Position,
			BaseOffset: b.BaseOffset, BatchBytes: b.Length, CRC: b.CRC, Records: b.Records})
		return true
	}); err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	return all
}

// answers asks a running reader, and takes as many answers.
func answers(t *testing.T, r *appendReader, writes []*event.Write) (all []*event.AppendHeaders) {
	t.Helper()
	for _, w := range writes {
		r.ask(w)
	}
	for end := time.Now().Add(10 * time.Second); len(all) < len(writes); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d answers to %d", len(all), len(writes))
		}
		r.take(func(e *event.AppendHeaders) { all = append(all, e) })
	}
	return all
}

// TestAppendReader: every ask is answered, with what the records say where the
// batch stands in a log dir of that broker.
func TestAppendReader(t *testing.T) {
	r := newAppendReader("message-id", true)
	r.adopt(7, []string{t.TempDir(), segments}) // the first is none
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.run(ctx) }()
	for _, topic := range []string{"by-gzip", "by-snappy", "by-lz4", "by-zstd", "clients"} {
		for i, e := range answers(t, r, appended(t, topic)) {
			w := appended(t, topic)[i]
			if e.HeadersCut || e.PID != 7 || e.File != w.File || e.Offset != w.Offset || len(e.MessageIDs) == 0 || len(e.Contexts) == 0 || e.ContextShared { // each record has a span of its own
				t.Errorf("%s: %+v of %+v", topic, e, w)
			}
		}
	}
	other, moved := *appended(t, "by-gzip")[0], *appended(t, "by-gzip")[0]
	other.PID, moved.CRC = 8, 1
	for _, e := range answers(t, r, []*event.Write{&other, &moved}) {
		if !e.HeadersCut || e.MessageIDs != nil || e.Contexts != nil {
			t.Errorf("%+v", e)
		}
	}
	end()
	if err := <-done; err != nil || len(r.logs) != 0 {
		t.Errorf("%d brokers' files left, %v", len(r.logs), err)
	}
}

// TestAppendsAreBounded: no ask waits, and beyond a second's CPU time nothing
// is read until the next one.
func TestAppendsAreBounded(t *testing.T) {
	r := newAppendReader("message-id", true)
	r.adopt(7, []string{segments})
	w := appended(t, "by-zstd")[0]
	for range maxAppends + 3 { // nobody reads
		r.ask(w)
	}
	n := 0
	r.take(func(e *event.AppendHeaders) {
		if n++; !e.HeadersCut {
			t.Errorf("%+v", e)
		}
	})
	if n != 3 || len(r.asks) != maxAppends {
		t.Errorf("%d refused, %d wait", n, len(r.asks))
	}
	r.since, r.spent = time.Now().Add(time.Hour), appendTime
	if e := r.read(w); !e.HeadersCut || e.MessageIDs != nil {
		t.Errorf("beyond the time: %+v", e)
	}
	r.since = time.Now().Add(-time.Second)
	if e := r.read(w); e.HeadersCut || e.MessageIDs == nil || r.spent <= 0 || r.spent >= appendTime {
		t.Errorf("in the next second: %+v, spent %s", e, r.spent)
	}
	r.close(func(int32) bool { return true })
}

// BenchmarkAppendRead is the record headers of one append, compressed by zstd,
// of a file that is open and in the page cache.
func BenchmarkAppendRead(b *testing.B) {
	r := newAppendReader("message-id", true)
	r.adopt(7, []string{segments})
	w := appended(b, "by-zstd")[0]
	b.ReportAllocs()
	for b.Loop() {
		r.since, r.spent = time.Now(), 0
		if e := r.read(w); e.HeadersCut {
			b.Fatal("cut")
		}
	}
	r.close(func(int32) bool { return true })
}
