package clients

import (
	"slices"
	"testing"
)

// TestMix: all clients at once send as many requests as they are told, and their
// records still agree with the log.
func TestMix(t *testing.T) {
	t.Parallel()
	s, base := stage(t)
	base.Count = 1500
	m := NewMix(base)
	wide := func(l *Lane) bool { return l.ClientID == "raw-wide" } // TestRaw has it; its topics take long to make
	wideAt := slices.IndexFunc(m.Lanes, wide)
	base.Count -= m.Lanes[wideAt].Count
	m.Lanes = slices.Delete(m.Lanes, wideAt, wideAt+1)
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	tally, err := m.Tally()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", tally)
	if tally.Requests != base.Count {
		t.Errorf("%d requests, want %d", tally.Requests, base.Count)
	}
	log := dump(t, s)
	for _, l := range m.Lanes {
		t.Run(l.ClientID, func(t *testing.T) {
			var sent []Sent
			if err := Read(l.File(), func(s *Sent) error { sent = append(sent, *s); return nil }); err != nil {
				t.Fatal(err)
			}
			if l.Client == Raw {
				checkBatches(t, log, sent)
			} else if l.known() {
				checkRecords(t, log, sent)
			}
		})
	}
}
