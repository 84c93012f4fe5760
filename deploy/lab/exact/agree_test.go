package exact

import (
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/spans"
)

// countsAgree: requests seen = the broker's own count + those that it never
// read + those whose client gave up before the broker had done with them.
func (l *ledger) countsAgree(t *testing.T, r *run) {
	over := l.rows - r.counted - l.unread
	t.Logf("%d requests seen, %d of them twice; the broker counts %d, and never read %d behind a refused one; of %d that their clients gave up it did %d not count; %d rows with lost records; %d requests of v0-v2",
		l.rows, l.repeated, r.counted, l.unread, l.given, over, l.lost, l.old)
	if over < 0 || over > l.given || l.repeated > 0 {
		t.Error("the counts do not add up")
	}
	// A row tells of a loss only where no write there could be the batch's, and none
	// was missed: 43 of 45 did once.
	if 10*l.lost < 9*l.unread || l.unread == 0 {
		t.Errorf("%d rows say that records were lost, at least %d requests were", l.lost, l.unread)
	}
}

// clientsAgree: every request that a client knows of has its row.
func (l *ledger) clientsAgree(t *testing.T) {
	requests, missing := 0, 0
	for n, all := range l.raw {
		for _, q := range all {
			requests++
			if !q.seen && q.batches[0].Failure == "" {
				if missing++; missing < 10 {
					t.Logf("no row of %v: %+v", n, *q.batches[0])
				}
			}
		}
	}
	records, cut := 0, 0
	for id, s := range l.library {
		if s.Records != 0 && l.inCut(s) {
			cut++
		} else if s.Records != 0 && !s.Failed() {
			if records++; records < 10 {
				t.Logf("no row has record %s: %+v", id, *s)
			}
		}
	}
	t.Logf("%d raw requests and %d records of libraries: %d requests and %d records without a row, %d rows of nobody, %d that differ; not all headers were read of %d raw requests, and of batches with %d records",
		requests, len(l.library), missing, records, l.strange, l.differing, l.rawCut, cut)
	if l.rawCut > l.rows/1000 {
		t.Error("headers are left out too often")
	}
	if missing+records+l.strange+l.differing > 0 || len(l.raw) == 0 || len(l.library) == 0 {
		t.Error("not what the clients say")
	}
}

// contextsAgree: the links of each trace are the traceparents of its records,
// each once and at most 32, with the number left out.
func (l *ledger) contextsAgree(t *testing.T, r *run) {
	linked, differ := 0, 0
	line := func(b []byte) error {
		tr, err := tailspan.ParseTrace(b)
		if err != nil || len(l.traces[tr.ID.String()]) == 0 {
			return err
		}
		want := map[string]bool{}
		for _, s := range l.traces[tr.ID.String()] {
			for _, p := range s.Parents {
				want[p[3:52]] = true
			}
		}
		total, got := len(want), 0
		for _, x := range tr.Root().Links {
			id := x.Trace.String() + "-" + x.Span.String()
			if want[id] {
				got++
				delete(want, id)
			} else if kind(x) == spans.LinkProducer {
				got = -1 << 20
			}
		}
		linked += got
		if got != min(total, 32) {
			if differ++; differ < 10 {
				t.Errorf("trace %s: %d of %d contexts linked", tr.ID, got, total)
			}
		}
		return nil
	}
	s, err := tailspan.Start(r.Bin, r.Dir+"/traces.log", noExport, line, "replay", "--print", "traces", "--format", "jsonl", r.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d contexts linked, %d traces differ", linked, differ)
	if linked == 0 {
		t.Error("no links")
	}
}

func kind(l spans.Link) string {
	for _, a := range l.Attributes {
		if string(a.Key) == spans.KeyLinkKind {
			return a.Value.AsString()
		}
	}
	return ""
}
