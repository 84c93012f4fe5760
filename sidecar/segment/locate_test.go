package segment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/topics"
)

func locate(t *testing.T, dir, topic string, offset int64) (Located, error) {
	t.Helper()
	l := logs(t, dir)
	return l.Locate(t.Context(), l.Dirs[0], topic, 0, offset)
}

// TestLocate looks for every offset that DumpLogSegments saw.
func TestLocate(t *testing.T) {
	l := logs(t, fixture)
	for file, batches := range dump(t) {
		topic, partition, _ := topics.ParsePartition(filepath.Dir(file))
		for i := range batches {
			b := &batches[i]
			for offset := b.BaseOffset; offset <= b.LastOffset; offset++ {
				got, err := l.Locate(t.Context(), l.Dirs[0], topic, partition, offset)
				got.Attributes = b.Attributes
				if err != nil || got.Batch != b.Batch || got.TopicID == ([16]byte{}) || got.Made.IsZero() {
					t.Errorf("%s offset %d: %+v, %v", file, offset, got, err)
				}
			}
		}
	}
}

// TestLocateNone: each of the ways in which a log has no batch with an offset.
func TestLocateNone(t *testing.T) {
	dir := copied(t)
	deleted := func(t *testing.T) {
		for _, suffix := range []string{logSuffix, indexSuffix} {
			if err := os.Remove(filepath.Join(dir, "clients-0/00000000000000000000"+suffix)); err != nil {
				t.Fatal(err)
			}
		}
	}
	trimmed := func(t *testing.T) { // and nothing of the batch is left
		write(t, filepath.Join(dir, "log-start-offset-checkpoint"), []byte("0\n1\ncompacted 0 9\n"))
	}
	older := func(t *testing.T) {
		raw := read(t, filepath.Join(fixture, Name("stamped", 0, 0)))
		write(t, filepath.Join(dir, Name("stamped", 0, 0)), append(append(legacy(0, 0), legacy(1, 1)...), raw[len(raw)/3*2:]...))
	}
	for _, c := range []struct {
		name, topic string
		offset      int64
		change      func(*testing.T)
		want        error
		start, end  int64
	}{
		{"another topic", "nobody", 0, nil, ErrNoPartition, 0, 0},
		{"behind the end", "clients", 36, nil, ErrBeyond, 0, 36},
		{"far behind", "clients", 1 << 62, nil, ErrBeyond, 0, 36},
		{"compacted away", "compacted", 3, nil, ErrCompacted, 0, 0},
		{"trimmed", "compacted", 3, trimmed, ErrBefore, 9, 0},
		{"deleted", "clients", 29, deleted, ErrBefore, 30, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change != nil {
				c.change(t)
			}
			got, err := locate(t, dir, c.topic, c.offset)
			if !errors.Is(err, c.want) || got.Start != c.start || got.End != c.end || got.Batch != (Batch{}) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	older(t)
	var old *MagicError
	if got, err := locate(t, dir, "stamped", 1); !errors.As(err, &old) || old.Magic != 1 {
		t.Errorf("an older format: %+v, %v", got, err)
	}
	if got, err := locate(t, dir, "stamped", 6); err != nil || got.BaseOffset != 6 {
		t.Errorf("behind an older format: %+v, %v", got, err)
	}
}

// TestLocateActive: the active segment has an index of zeros at its end, and
// may end within the batch that is being written.
func TestLocateActive(t *testing.T) {
	dir := copied(t)
	file := filepath.Join(dir, Name("clients", 0, 30))
	raw := read(t, file)
	write(t, file, append(raw[:len(raw):len(raw)], raw[:100]...))
	index := file[:len(file)-len(logSuffix)] + indexSuffix
	write(t, index, append(read(t, index), make([]byte, 1<<16)...))
	if got, err := locate(t, dir, "clients", 35); err != nil || got.LastOffset != 35 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := locate(t, dir, "clients", 36); !errors.Is(err, ErrBeyond) || got.End != 36 {
		t.Errorf("%+v, %v", got, err)
	}
	// A segment that was just rolled is empty.
	write(t, filepath.Join(dir, Name("clients", 0, 36)), nil)
	if got, err := locate(t, dir, "clients", 36); !errors.Is(err, ErrBeyond) || got.End != 36 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := locate(t, dir, "clients", 35); err != nil || got.LastOffset != 35 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestLocateRolls: a listing that is remembered names a segment that is gone.
func TestLocateRolls(t *testing.T) {
	dir := copied(t)
	l := logs(t, dir)
	if _, err := l.Locate(t.Context(), l.Dirs[0], "clients", 0, 33); err != nil {
		t.Fatal(err)
	}
	l.close(l.used.Back())
	file := filepath.Join(dir, Name("clients", 0, 30))
	info, err := os.Stat(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Dir(file), time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Locate(t.Context(), l.Dirs[0], "clients", 0, 33); !errors.Is(err, ErrBeyond) || got.End != 30 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestLocateBounded gives up by the context, and by the number of batches.
func TestLocateBounded(t *testing.T) {
	l := logs(t, fixture)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Locate(ctx, l.Dirs[0], "clients", 0, 33); !errors.Is(err, ErrUnfinished) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	raw := read(t, filepath.Join(fixture, Name("clients", 0, 0)))
	if _, _, err := inMemory(raw).walk(t.Context(), 29, 3); !errors.Is(err, ErrUnfinished) {
		t.Error(err)
	}
}
