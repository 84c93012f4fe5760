package otlp

import (
	"errors"
	"log/slog"
	"testing"
	"time"
)

// However long a loss lasts, it is one line; each loss is a line of its own.
func TestHealthSaysItOnce(t *testing.T) {
	log := &logBuffer{}
	h := health{log: slog.New(slog.NewTextHandler(log, nil)), endpoint: "http://c:4317", limit: 100}
	gone := result{verdict: retry, err: errors.New("connection refused")}
	no := result{verdict: refused, err: errors.New("no")}
	expect := func(away, refuses, back int) {
		t.Helper()
		if log.lines("is away") != away || log.lines("refuses") != refuses || log.lines("is back") != back {
			t.Errorf("not %d, %d, %d:\n%s", away, refuses, back, log)
		}
	}
	h.note(result{}, Stats{})
	expect(0, 0, 0)
	for range 3 {
		h.note(gone, Stats{})
		h.lastSaid = time.Time{} // much later
	}
	expect(1, 0, 0)
	h.note(result{}, Stats{})
	expect(1, 0, 1)
	h.note(gone, Stats{})
	h.lastSaid = time.Time{}
	h.note(no, Stats{})
	h.note(no, Stats{})
	expect(2, 1, 1)
	h.note(result{}, Stats{})
	expect(2, 1, 2)
	h.note(gone, Stats{}) // at once: it was said just now
	h.note(result{}, Stats{})
	expect(2, 1, 2)
}
