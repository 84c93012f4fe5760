package sidecar

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/recording"
	"github.com/tailspan/tailspan/spans"
	"github.com/tailspan/tailspan/spans/sample"
)

// FuzzReplay plays whatever calls itself a recording: nothing panics or runs
// forever, every trace is sound, and every request is accounted for.
func FuzzReplay(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := capture.NewFile(bytes.NewReader(b))
		if err != nil {
			return
		}
		log := slog.New(slog.DiscardHandler)
		s, err := New(Options{Config: config.Config{Print: "traces", Format: "jsonl", MessageIDHeader: "id"}, Stdout: io.Discard, Logger: log})
		if err != nil {
			t.Fatal(err)
		}
		s.out.sampler = sample.New(sample.Options{Export: func(tr *spans.Trace) bool { sound(t, tr); return true }})
		_ = s.replay(context.Background(), file) // a broken file is an error
		st := s.assembler.Stats()
		sum := st.Finished
		for _, n := range st.Dropped {
			sum += n
		}
		if st.Pending != 0 || st.Requests != sum || s.decoder.Stats().ProduceRequests < st.Requests {
			t.Errorf("requests do not add up: %+v", st)
		}
	})
}

// sound checks what must hold in every trace.
func sound(t *testing.T, tr *spans.Trace) {
	byID := map[spans.SpanID]*spans.Span{}
	for i := range tr.Spans {
		s := &tr.Spans[i]
		p := byID[s.Parent]
		switch {
		case byID[s.ID] != nil:
			t.Errorf("span id of %s twice", s.Name)
		case s.End < s.Start:
			t.Errorf("%s ends %d ns before it starts", s.Name, s.Start-s.End)
		case i == 0 && !s.Parent.IsZero(), i > 0 && p == nil:
			t.Errorf("%s has the wrong parent", s.Name)
		case i > 0 && (s.Start < p.Start || s.End > p.End):
			t.Errorf("%s is not inside %s", s.Name, p.Name)
		}
		byID[s.ID] = s
	}
}

// seeds are the beginning of the demo's recording, pieces of the rest of it
// behind the facts that it needs, an empty recording, and one of the kinds of
// records that the demo's has not.
func seeds(f *testing.F) [][]byte {
	all, err := os.ReadFile(unpack(f))
	if err != nil {
		f.Fatal(err)
	}
	const head, piece, pieces = 12, 60, 40
	var blocks [][]byte
	for len(all) >= 12 {
		n := binary.LittleEndian.Uint32(all[4:])
		blocks = append(blocks, all[:n])
		all = all[n:]
	}
	var empty bytes.Buffer
	if err := recording.NewWriter(&empty, recording.Header{}).Close(); err != nil {
		f.Fatal(err)
	}
	out := [][]byte{empty.Bytes(), everyKind(f)}
	for i := range pieces {
		at := head + i*(len(blocks)-head-piece)/pieces
		out = append(out, append(bytes.Join(blocks[:head], nil), bytes.Join(blocks[at:at+piece], nil)...))
	}
	return out
}
