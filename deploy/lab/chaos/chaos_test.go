package chaos

import (
	"testing"
	"time"
)

const (
	residentMost = 256 << 20 // bytes
	endsWithin   = 10 * time.Second
	// exportedWithin: traces wait for what links to them, and between two attempts
	// to reach a collector that is away lie five seconds and more.
	exportedWithin = 15 * time.Second
)

// TestCollector: it dies, comes back, hangs and goes on while a broker is under
// load, and is gone or hangs when tailspan is told to end in the middle of it.
// One tailspan has its queue in memory alone, the other on disk as well.
func TestCollector(t *testing.T) {
	s := set(t)
	s.load(t, "warming up", 3*time.Second, nil, nil)
	well, ill := []phase{s.load(t, "no tailspan", 2*time.Second, nil, nil)}, []phase(nil)
	memory, disk := s.begin(t, "memory"), s.begin(t, "disk", "--queue-dir", t.TempDir())
	both := lives{memory, disk}
	for _, p := range []struct {
		name  string
		ill   bool // the collectors are
		least time.Duration
		act   func(*life) error
	}{
		{"collectors well", false, time.Second, nil},
		{"killed", true, 3 * time.Second, func(l *life) error { l.collector.Kill(); return nil }},
		{"back", false, time.Second, func(l *life) error { return l.collector.Again(t.Context()) }},
		{"hang", true, 5 * time.Second, func(l *life) error { return l.collector.Hold() }},
		{"go on", false, time.Second, func(l *life) error { return l.collector.Resume() }},
		{"tailspans end meanwhile", true, 3 * time.Second, func(l *life) error { return l.endMeanwhile(l == disk) }},
	} {
		act := func() error { return both.each(p.act) }
		if p.ill {
			ill = append(ill, s.load(t, p.name, p.least, act, nil))
		} else {
			well = append(well, s.load(t, p.name, p.least, act, both.export()))
		}
	}
	unaffected(t, well, ill)
	for _, l := range both {
		l.wait(t)
		l.check(t)
	}
	s.restore(t, disk)
}

// check holds what tailspan says against what the collector has.
func (l *life) check(t *testing.T) {
	t.Helper()
	_ = l.collector.Resume() // what it had read, it takes
	got, last, seen, onDisk := takenBy(t, l.collector), l.Account(), l.seen, len(l.flags) > 0
	t.Logf("%s: %d scrapes, at most %d requests pending and %d MiB resident; at the end %+v; the collector has %d requests, %d of them twice",
		l.name, seen.scrapes, seen.most.Pending, seen.resident>>20, *last, len(got.requests), got.again)
	if seen.wrong != nil || seen.scrapes < 50 {
		t.Errorf("%s: of %d scrapes: %v", l.name, seen.scrapes, seen.wrong)
	}
	if seen.resident == 0 || seen.resident > residentMost {
		t.Errorf("%s: %d bytes resident", l.name, seen.resident)
	}
	if n := uint64(len(got.requests)); n < last.Exported || n > last.Seen || last.Exported == 0 {
		t.Errorf("%s: %d requests exported, the collector has %d", l.name, last.Exported, n)
	}
	if got.torn > 0 {
		t.Errorf("%s: %d traces are torn", l.name, got.torn)
	}
	switch lost := last.Dropped["export: undelivered"] + last.Dropped["export: queue_full"]; {
	case onDisk && (last.Pending == 0 || lost > 0):
		t.Errorf("with a directory, nothing is lost and all that waits is left there: %+v", *last)
	case !onDisk && lost == 0:
		t.Errorf("without a directory, what a hanging collector did not take by the end is lost, and said to be: %+v", *last)
	}
}

// restore has the next tailspan deliver what the one before it left.
func (s *stage) restore(t *testing.T, left *life) {
	t.Helper()
	if err := left.collector.Again(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(takenBy(t, left.collector).requests)
	next := s.watch(t, "disk-next", left.collector, left.flags...)
	for end := time.Now().Add(exportedWithin); next.seen.exported() < left.Account().Pending && time.Now().Before(end); { // nothing is produced
		time.Sleep(scrapeEach)
	}
	if err := next.Stop(); err != nil {
		t.Fatal(err)
	}
	next.seen.end()
	got, was, is := takenBy(t, left.collector), left.Account(), next.Account()
	t.Logf("%d requests were left, the next tailspan exported %d; the collector has %d more, %d twice", was.Pending, is.Exported, len(got.requests)-before, got.again)
	if is.Pending > 0 || is.Exported < was.Pending || next.seen.wrong != nil || got.torn > 0 {
		t.Errorf("%+v was left, then %+v, %v; %d torn", *was, *is, next.seen.wrong, got.torn)
	}
	if all := was.Exported + is.Exported; uint64(len(got.requests)) < all {
		t.Errorf("the collector has %d requests, %d were exported", len(got.requests), all)
	}
}
