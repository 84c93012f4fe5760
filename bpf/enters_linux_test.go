package bpf

import (
	"errors"
	"os"
	"testing"
)

//go:noinline
func siteEnter(thread int64, monitor uint64) uint64 { return monitor ^ uint64(thread) }

// Enters are counted where the ring is full, too, and what is no enter, or not
// attached to, is not.
func TestEnters(t *testing.T) {
	p := open(t, Options{RingSize: os.Getpagesize(), see: []string{SubjectBlockIO}})
	is := func(pid int, want uint64) {
		t.Helper()
		got, err := p.Enters(int32(pid))
		if err != nil {
			t.Fatal(err)
		}
		check(t, "enters", got, want)
	}
	enter := siteOf(t, "monitor__contended__enter", siteEnter)
	enter.Args = append(enter.Args, enter.Args...) // any class, of any length
	const hits = 1000                              // more records than the ring takes
	hit := func() {
		for range hits {
			siteEnter(1, 0)
			siteEntered(1, 0)
		}
	}
	is(os.Getpid(), 0)
	for round := range uint64(2) {
		a, err := p.AttachSites(int32(os.Getpid()), os.Args[0], []USDTSite{siteOf(t, "monitor__contended__entered", siteEntered), enter})
		if errors.Is(err, ErrNotHere) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		hit()
		is(os.Getpid(), hits*(round+1))
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		hit()
		is(os.Getpid(), hits*(round+1))
	}
	is(os.Getppid(), 0)
	if st, err := p.Stats(); err != nil || st.Lost[KindMonitorEnter] == 0 {
		t.Errorf("%+v, %v: the ring was to be full", st.Lost, err)
	}
}
