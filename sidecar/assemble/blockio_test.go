package assemble

import (
	"slices"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

func anIO(tid int32, sector uint64, from, to event.Time) *event.BlockIO {
	return &event.BlockIO{Start: from, End: to, Thread: event.Thread{PID: tid, TID: tid, Name: "jbd2/sda1-8"}, Device: disk,
		Disk: 9 << 20, Sector: sector, Bytes: 4096, Op: "write"}
}

func ios(tr *spans.Trace) (all []*spans.Span) {
	for i := range tr.Spans {
		if tr.Spans[i].Name == "block.io" {
			all = append(all, &tr.Spans[i])
		}
	}
	return all
}

// A commit shows the slowest of what the disk did meanwhile, at most eight; what
// its own thread issued is its own, and goes first.
func TestBlockIOOfCommit(t *testing.T) {
	s := newScript(t)
	events := append(aCommit(99, t0, t0+200*ms, 0),
		anIO(900, 1, t0+ms, t0+140*ms), anIO(33, 2, t0-10*ms, t0+150*ms), // the journal's own; another's, which took longer
		anIO(900, 3, t0-20*ms, t0-10*ms), anIO(900, 4, t0+201*ms, t0+300*ms)) // before and after it
	for i := range uint64(20) {
		events = append(events, anIO(900, 100+i, t0+event.Time(i)*ms, t0+event.Time(i+1)*ms))
	}
	other := anIO(900, 5, t0+ms, t0+199*ms)
	other.Device = disk + 1
	s.play(append(events, other)...)
	var tr *spans.Trace
	for _, x := range s.traces {
		tr = x
	}
	all := ios(tr)
	for _, x := range all {
		if p := s.parent(tr, x); p.Name != "jbd2.logging" && p != tr.Root() {
			t.Errorf("below %s", p.Name)
		}
	}
	if len(all) != ioShown || value(all[0], spans.KeySector) != "1" || value(all[ioShown-1], spans.KeySector) != "2" {
		t.Fatalf("%d, first %v", len(all), all[0].Attributes)
	}
	own, others := all[0], all[ioShown-1]
	if value(own, spans.KeyJoin) != "exact" || value(others, spans.KeyJoin) != "inferred" || others.Start != int64(t0+2*us) ||
		value(others, spans.KeyClipped) != "10002000" || value(own, spans.KeyDisk) != "9:0" {
		t.Errorf("%v, %v", own, others)
	}
}

// In a write the disk's doings count only where the thread waited, unless it
// issued them itself.
func TestBlockIOOfWrite(t *testing.T) {
	s := newScript(t)
	tr := one(s, append(aCommit(99, t0-5*ms, t0+400*ms, 0), aHandleWait(5, t0+100*ms, t0+200*ms, 100), aDirtyInode(5, t0+90*ms, t0+201*ms),
		anIO(33, 1, t0+110*ms, t0+190*ms), anIO(5, 2, t0+20*ms, t0+30*ms))...)
	for _, x := range ios(tr) {
		want := map[string]string{"1": "inferred", "2": "exact"}[value(x, spans.KeySector)]
		if p := s.parent(tr, x); p.Name != "jbd2.commit" || value(x, spans.KeyJoin) != want {
			t.Errorf("below %s: %v", p.Name, x)
		}
	}
	if len(ios(tr)) != 2 {
		t.Errorf("%d", len(ios(tr)))
	}
	s = newScript(t)
	tr = one(s, anIO(33, 1, t0+2*ms, t0+290*ms), anIO(5, 2, t0+20*ms, t0+30*ms))
	all := ios(tr)
	if len(all) != 1 || value(all[0], spans.KeySector) != "2" || s.parent(tr, all[0]).Name != "fs.write" {
		t.Errorf("%v", all)
	}
}

// A request shows one I/O below a commit, whose own trace has them all, and three
// below another wait: what the thread issued itself, then the slowest.
func TestBlockIOIsNotRepeated(t *testing.T) {
	events := []event.Event{anIO(5, 1, t0+40*ms, t0+60*ms)}
	for i := range uint64(6) {
		events = append(events, anIO(900, 10+i, t0+event.Time(10+i)*ms, t0+100*ms))
	}
	for name, want := range map[string][]string{
		"jbd2.commit": {"1"},
		"kernel.wait": {"1", "10", "11"},
	} {
		s := newScript(t)
		inside := append(events, aStay(5, t0+5*ms, t0+250*ms, t0+250*ms, lockStack))
		if name == "jbd2.commit" {
			inside = append(aCommit(99, t0-5*ms, t0+280*ms, 0), append(events, aStay(5, t0+5*ms, t0+250*ms, t0+250*ms, bufferStack))...)
		}
		tr := one(s, inside...)
		var got []string
		for _, x := range ios(tr) {
			if p := s.parent(tr, x).Name; p != name {
				t.Errorf("below %s, want %s", p, name)
			}
			got = append(got, value(x, spans.KeySector))
		}
		if !slices.Equal(got, want) {
			t.Errorf("below %s: sectors %v, want %v", name, got, want)
		}
		for _, c := range s.traces {
			if c.Root().Name == "journal.commit" && len(ios(c)) != len(events) {
				t.Errorf("the commit has %d", len(ios(c)))
			}
		}
	}
}

// Where it is known why the thread slept, the disk counts where it was for that.
func TestBlockIOOfSleep(t *testing.T) {
	for why, want := range map[*event.Stack]int{lockStack: 1, inodeStack: 0} {
		s := newScript(t)
		all := ios(one(s, anIO(33, 1, t0+10*ms, t0+90*ms), anIO(33, 2, t0+210*ms, t0+290*ms), aStay(5, t0+5*ms, t0+200*ms, t0+200*ms, why)))
		if len(all) != want || want == 1 && s.parent(s.trace(1), all[0]).Name != "kernel.wait" {
			t.Errorf("%s: %v", why.Reason, all)
		}
	}
}

// An fsync waits for the disk all the time.
func TestBlockIOOfFsync(t *testing.T) {
	s := newScript(t)
	bad := anIO(33, 1, t0+4*ms, t0+290*ms)
	bad.Error = -5
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), bad, anFsync(5, t0+3*ms, t0+300*ms), aResponse(1, t0+302*ms, 10))
	tr := s.trace(1)
	all := ios(tr)
	if len(all) != 1 || s.parent(tr, all[0]).Name != "fs.fsync" || value(all[0], spans.KeyJoin) != "inferred" || all[0].Error == "" {
		t.Errorf("%v", all)
	}
}

// Of a wait in a wait the inner one has the I/O, unless most of it lies outside.
func TestBlockIOInTheInnerWait(t *testing.T) {
	s := newScript(t)
	s.play(append(aCommit(99, t0+5*ms, t0+200*ms, 0), aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		anIO(33, 1, t0+4*ms, t0+190*ms), anIO(33, 2, t0+180*ms, t0+290*ms), anFsync(5, t0+3*ms, t0+300*ms), aResponse(1, t0+302*ms, 10))...)
	tr := s.trace(1)
	for _, x := range ios(tr) {
		want := map[string]string{"1": "jbd2.commit", "2": "fs.fsync"}[value(x, spans.KeySector)]
		if p := s.parent(tr, x); p.Name != want {
			t.Errorf("sector %s is below %s", value(x, spans.KeySector), p.Name)
		}
	}
	if len(ios(tr)) != 2 {
		t.Errorf("%d", len(ios(tr)))
	}
}

// What is remembered of a device is bounded, and so are devices.
func TestBlockIOIsBounded(t *testing.T) {
	s := newScript(t)
	for i := range event.Time(3 * ioKept) {
		s.Handle(anIO(1, uint64(i), t0+i*us, t0+i*us+us))
	}
	if n := len(s.devices[disk].io.items); n != ioKept {
		t.Errorf("%d kept", n)
	}
	if got := s.devices[disk].slowest(0, t0, t0+ms*10, 1); got[0].Sector < 2*ioKept {
		t.Errorf("sector %d is not among the latest", got[0].Sector)
	}
	for i := range uint32(3 * maxDevices) {
		e := anIO(1, 1, t0+10*ms, t0+11*ms)
		e.Device = event.Device(i)
		s.Handle(e)
	}
	if n := len(s.devices); n > maxDevices {
		t.Errorf("%d devices", n)
	}
}
