package flight

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/figures"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

// couple is a wait as the probes and JFR saw it.
type couple struct{ usdt, jfr *assemble.WaitRow }

func (c couple) start() time.Duration    { return time.Duration(c.jfr.Start - c.usdt.Start) }
func (c couple) end() time.Duration      { return time.Duration(c.jfr.End - c.usdt.End) }
func (c couple) duration() time.Duration { return time.Duration(c.jfr.Latency - c.usdt.Latency) }

type pairs struct {
	both              []couple // by time
	onlyUSDT, onlyJFR []*assemble.WaitRow
}

// apart is how far the starts of what is the same wait may differ at most: the
// next one of a thread for the same monitor is not that near, nor that long.
const apart = int64(5 * time.Millisecond)

// pair finds for each wait the one of the same thread and monitor that began
// when it did.
func pair(usdt, jfr []assemble.WaitRow) (p pairs) {
	type key struct {
		tid     int32
		monitor string
	}
	sorted := func(all []assemble.WaitRow) map[key][]*assemble.WaitRow {
		m := map[key][]*assemble.WaitRow{}
		for i := range all {
			k := key{all[i].TID, all[i].Monitor}
			m[k] = append(m[k], &all[i])
		}
		for _, rows := range m {
			slices.SortFunc(rows, func(a, b *assemble.WaitRow) int { return cmp.Compare(a.Start, b.Start) })
		}
		return m
	}
	a, b := sorted(usdt), sorted(jfr)
	for k, rows := range a {
		others := b[k]
		for _, row := range rows {
			for len(others) > 0 && others[0].Start < row.Start-apart {
				p.onlyJFR = append(p.onlyJFR, others[0])
				others = others[1:]
			}
			if len(others) == 0 || others[0].Start > row.Start+apart {
				p.onlyUSDT = append(p.onlyUSDT, row)
				continue
			}
			p.both = append(p.both, couple{row, others[0]})
			others = others[1:]
		}
		p.onlyJFR = append(p.onlyJFR, others...)
		delete(b, k)
	}
	for _, others := range b {
		p.onlyJFR = append(p.onlyJFR, others...)
	}
	slices.SortFunc(p.both, func(x, y couple) int { return cmp.Compare(x.usdt.Start, y.usdt.Start) })
	return p
}

func median(all []couple, of func(couple) time.Duration) time.Duration {
	v := make([]time.Duration, len(all))
	for i, c := range all {
		v[i] = of(c)
	}
	return figures.Median(v)
}

// log says how much the two differ, and how that changes with time.
func (p *pairs) log(t *testing.T) {
	t.Logf("%d waits seen by both, %d only by the probes, %d only by JFR", len(p.both), len(p.onlyUSDT), len(p.onlyJFR))
	if len(p.both) == 0 {
		return
	}
	spread := func(of func(couple) time.Duration) []time.Duration {
		v := make([]time.Duration, 0, len(p.both))
		for _, c := range p.both {
			v = append(v, of(c))
		}
		slices.Sort(v)
		return []time.Duration{v[0], v[len(v)/100], v[len(v)/2], v[len(v)*99/100], v[len(v)-1]}
	}
	t.Logf("JFR's less the probes', least, 1 %%, median, 99 %%, most: starts %v, ends %v, durations %v",
		spread(couple.start), spread(couple.end), spread(couple.duration))
	origin := p.both[0].usdt.Start
	for from := 0; from < len(p.both); {
		second := (p.both[from].usdt.Start - origin) / int64(time.Second)
		to := from
		for to < len(p.both) && (p.both[to].usdt.Start-origin)/int64(time.Second) == second {
			to++
		}
		t.Logf("second %d: %d waits, median difference of starts %v, of ends %v", second, to-from,
			median(p.both[from:to], couple.start), median(p.both[from:to], couple.end))
		from = to
	}
	for _, rows := range [][]*assemble.WaitRow{p.onlyUSDT, p.onlyJFR} {
		for _, r := range rows[:min(5, len(rows))] {
			t.Logf("alone: %+v", *r)
		}
	}
}

// holders counts the waits of at least a length, and those of them that have the
// same main holder, or none, either way.
func (p *pairs) holders(least time.Duration) (long, agree int) {
	for _, c := range p.both {
		if time.Duration(c.usdt.Latency) < least {
			continue
		}
		long++
		if u, j := c.usdt.HolderTID, c.jfr.HolderTID; u == nil && j == nil || u != nil && j != nil && *u == *j {
			agree++
		}
	}
	return long, agree
}

// mostCauses is the share of slow requests that must have the same causes.
const mostCauses = 0.95

func compareCauses(t *testing.T, usdt, jfr []assemble.RequestRow) {
	t.Helper()
	byTrace := map[string]*assemble.RequestRow{}
	for i := range jfr {
		byTrace[jfr[i].TraceID] = &jfr[i]
	}
	agree, waited, both := 0, 0, 0
	for i := range usdt {
		u, j := &usdt[i], byTrace[usdt[i].TraceID]
		same := j != nil && j.Cause == u.Cause && j.RootCause == u.RootCause
		if same {
			agree++
		} else if j != nil {
			t.Logf("%s: %s because of %s; by JFR %s because of %s", u.TraceID, u.Cause, u.RootCause, j.Cause, j.RootCause)
		}
		if u.Cause == "monitor.wait" {
			waited++
			if same {
				both++
			}
		}
	}
	t.Logf("%d requests over %v, %d with the same cause and root cause; %d waited for a monitor, %d of them likewise", len(usdt), slow, agree, waited, both)
	if waited == 0 || float64(agree) < mostCauses*float64(len(usdt)) || float64(both) < mostCauses*float64(waited) {
		t.Error("too many differ")
	}
}
