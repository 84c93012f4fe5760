package flight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/figures"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

// couple is a wait as the probes and another saw it.
type couple struct{ probes, other *assemble.WaitRow }

func (c couple) start() time.Duration    { return time.Duration(c.other.Start - c.probes.Start) }
func (c couple) end() time.Duration      { return time.Duration(c.other.End - c.probes.End) }
func (c couple) duration() time.Duration { return time.Duration(c.other.Latency - c.probes.Latency) }

type pairs struct {
	both                  []couple // by time
	onlyProbes, onlyOther []*assemble.WaitRow
}

// apart is how far the starts of what is the same wait may differ at most, or its
// ends: a thread may lose its CPU between the one's look at the clock and the
// other's, but not at both.
const apart = int64(5 * time.Millisecond)

// far is how far apart they are.
func far(a, b *assemble.WaitRow) int64 { return min(abs(a.Start-b.Start), abs(a.End-b.End)) }

// pair finds for each wait the one of the same thread that was when it was, and
// for the same monitor, if both call that the same (async-profiler has the
// address of the object).
func pair(probes, other []assemble.WaitRow, monitors bool) (p pairs) {
	type key struct {
		tid     int32
		monitor string
	}
	sorted := func(all []assemble.WaitRow) map[key][]*assemble.WaitRow {
		m := map[key][]*assemble.WaitRow{}
		for i := range all {
			k := key{tid: all[i].TID}
			if monitors {
				k.monitor = all[i].Monitor
			}
			m[k] = append(m[k], &all[i])
		}
		for _, rows := range m {
			slices.SortFunc(rows, func(a, b *assemble.WaitRow) int { return cmp.Compare(a.End, b.End) })
		}
		return m
	}
	a, b := sorted(probes), sorted(within(probes, other))
	for k, rows := range a {
		others := b[k]
		for _, row := range rows {
			before := func(o *assemble.WaitRow) bool { return far(o, row) > apart && o.End < row.End }
			nearer := func() bool { return len(others) > 1 && far(others[1], row) < far(others[0], row) }
			for len(others) > 0 && (before(others[0]) || nearer()) {
				p.onlyOther = append(p.onlyOther, others[0])
				others = others[1:]
			}
			if len(others) == 0 || far(others[0], row) > apart {
				p.onlyProbes = append(p.onlyProbes, row)
				continue
			}
			p.both = append(p.both, couple{row, others[0]})
			others = others[1:]
		}
		p.onlyOther = append(p.onlyOther, others...)
		delete(b, k)
	}
	for _, others := range b {
		p.onlyOther = append(p.onlyOther, others...)
	}
	slices.SortFunc(p.both, func(x, y couple) int { return cmp.Compare(x.probes.Start, y.probes.Start) })
	return p
}

func abs(n int64) int64 { return max(n, -n) }

// within are the others from the first wait of the probes on to the last: these
// are attached some time after a recording begins.
func within(probes, other []assemble.WaitRow) (out []assemble.WaitRow) {
	if len(probes) == 0 {
		return nil
	}
	from, to := probes[0].Start, probes[0].End
	for _, r := range probes {
		from, to = min(from, r.Start), max(to, r.End)
	}
	for _, r := range other {
		if r.Start >= from-apart && r.End <= to+apart {
			out = append(out, r)
		}
	}
	return out
}

// check is that both saw the same waits, at the same times, but for some that may be
// elsewhere.
func (p *pairs) check(t *testing.T, elsewhere int) {
	t.Helper()
	lone := slices.Concat(p.onlyProbes, p.onlyOther)
	t.Logf("%d waits seen by both, %d only by the probes, %d only by the other: %s", len(p.both), len(p.onlyProbes), len(p.onlyOther), p.near())
	if len(p.both) == 0 {
		t.Fatal("no wait was seen by both")
	}
	t.Logf("the other's less the probes', least, 1 %%, median, 99 %%, most: starts %v, ends %v, durations %v",
		p.spread(couple.start), p.spread(couple.end), p.spread(couple.duration))
	half := len(p.both) / 2
	first, last := &pairs{both: p.both[:half]}, &pairs{both: p.both[half:]}
	t.Logf("medians of the first half of them and of the second: starts %v, %v, ends %v, %v",
		first.median(couple.start), last.median(couple.start), first.median(couple.end), last.median(couple.end))
	for _, r := range lone[:min(5, len(lone))] {
		t.Logf("alone: %+v", *r)
	}
	if float64(len(lone)) > 0.001*float64(len(p.both))+2*float64(elsewhere) {
		t.Fatal("too many were seen by one alone")
	}
	for _, of := range []func(couple) time.Duration{couple.start, couple.end, couple.duration} {
		if m := p.median(of); m.Abs() > 20*time.Microsecond {
			t.Errorf("half of them differ by more than %v", m)
		}
	}
}

// near says how many waits begin and end within some times of the probes'.
func (p *pairs) near() string {
	var text strings.Builder
	fmt.Fprintf(&text, "of %d", len(p.both)+len(p.onlyProbes))
	for _, d := range []time.Duration{time.Duration(apart), 100 * time.Microsecond, 20 * time.Microsecond} {
		n := 0
		for _, c := range p.both {
			n += count(max(c.start().Abs(), c.end().Abs()) <= d)
		}
		fmt.Fprintf(&text, ", %d within %v", n, d)
	}
	return text.String()
}

func (p *pairs) sorted(of func(couple) time.Duration) []time.Duration {
	v := make([]time.Duration, len(p.both))
	for i, c := range p.both {
		v[i] = of(c)
	}
	slices.Sort(v)
	return v
}

func (p *pairs) median(of func(couple) time.Duration) time.Duration {
	return figures.Median(p.sorted(of))
}

func (p *pairs) spread(of func(couple) time.Duration) []time.Duration {
	v := p.sorted(of)
	return []time.Duration{v[0], v[len(v)/100], v[len(v)/2], v[len(v)*99/100], v[len(v)-1]}
}

const (
	longWait = 20 * time.Millisecond
	// mostHolders is the share of long waits that must have the same main holder.
	// JFR names who released the monitor last. Of those before it, it names who
	// was followed by one that had waited; of 46 waits 5 had others before the
	// last, or one whose release the probes did not see.
	mostHolders = 0.8
)

// checkHolders is that both name the same main holder of a long wait. It returns of
// how many they do not.
func (p *pairs) checkHolders(t *testing.T) (others int) {
	t.Helper()
	long, agree := 0, 0
	for _, c := range p.both {
		if time.Duration(c.probes.Latency) < longWait {
			continue
		}
		long++
		if a, b := c.probes.HolderTID, c.other.HolderTID; a == nil && b == nil || a != nil && b != nil && *a == *b {
			agree++
			continue
		}
		t.Logf("wait of %d for %s, %v: held by %s; by JFR %s", c.probes.TID, c.probes.Monitor, time.Duration(c.probes.Latency), holders(c.probes), holders(c.other))
	}
	t.Logf("%d waits over %v, %d with the same main holder", long, longWait, agree)
	if long == 0 || float64(agree) < mostHolders*float64(long) {
		t.Error("too few")
	}
	return long - agree
}

func holders(r *assemble.WaitRow) string {
	var b strings.Builder
	for _, h := range r.Holders {
		fmt.Fprintf(&b, "%d for %v ", h.TID, time.Duration(h.NS))
	}
	return b.String()
}
