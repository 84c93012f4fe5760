package view

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tailspan/tailspan/sidecar/report"
)

const maxLost = 4

// warnings say what is not seen; without any, nothing.
func (p *page) warnings(s *State) {
	if len(s.Down) > 0 {
		var all []part
		for _, d := range s.Down {
			all = append(all, part{plain, d})
		}
		p.warning("not watched", all)
	}
	if len(s.Lost) > 0 {
		p.warning("not seen", lost(s.Lost))
	}
	if s.Unsent != "" {
		p.warning("not exported", []part{{plain, name(s.Unsent)}})
	}
	if len(s.Down)+len(s.Lost)+len(s.Unsent) > 0 {
		p.end()
	}
}

func (p *page) warning(what string, all []part) {
	p.put(yellow, what)
	p.right(plain, "  ", countColumn+2)
	if p.low() {
		p.parts(p.o.Width, all)
		return
	}
	p.parts(countColumn+2, all)
}

// lost is what was lost most of.
func lost(by map[string]uint64) (all []part) {
	what := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b))
	})
	for i, x := range what {
		if i == maxLost {
			return append(all, part{plain, "and " + itoa(len(what)-i) + " more"})
		}
		all = append(all, part{plain, x + " " + strconv.FormatUint(by[x], 10)})
	}
	return all
}

// stalls lists the last slow requests, those that there is room for whole.
func (p *page) stalls(s *State) {
	p.put(bold, "slow requests, of each stall the slowest")
	p.end()
	if len(s.Stalls) == 0 {
		p.put(dim, "  none yet")
		p.end()
	}
	for i := range s.Stalls {
		had := len(p.lines)
		p.one(&s.Stalls[i])
		if p.o.Rows > 0 && len(p.lines) > p.o.Rows {
			p.lines = p.lines[:had]
			return
		}
	}
}

const (
	latencyColumn = 24
	storyColumn   = latencyColumn + 2
	wide          = 100
)

func (p *page) one(x *Stall) {
	r := &x.Slowest
	p.put(plain, "  "+time.Unix(0, r.Start).In(p.o.Location).Format("15:04:05.000"))
	p.right(bold, report.Duration(int64(r.Latency)), latencyColumn)
	p.put(plain, "  ")
	column := storyColumn
	if p.o.Width < wide {
		column = 6
	}
	p.parts(column, r.story(x.Requests-1))
}

// story says whose request it was, and why it was slow.
func (r *Slow) story(others uint64) []part {
	var place string
	if n := len(r.Partitions); n > 0 {
		place = name(r.Partitions[0])
		if n > 1 {
			place += " and " + itoa(n-1) + " more"
		}
	}
	why := r.Cause
	if r.RootCause != r.Cause && r.RootCause != "" {
		why += " → " + r.RootCause
	}
	if r.Reason != "" {
		why += " (" + r.Reason + ")"
	}
	all := []part{{plain, place}, {plain, name(r.Client)}, {yellow, why}}
	if r.Error != "" {
		all = append(all, part{alarm, name(r.Error)})
	}
	if r.Holder != "" {
		all = append(all, part{plain, "held by " + name(r.Holder)})
	}
	if others > 0 {
		all = append(all, part{plain, report.Count(others, "other was slow", "others were slow")})
	}
	all = append(all, part{dim, "trace " + r.TraceID})
	return slices.DeleteFunc(all, func(x part) bool { return x.text == "" })
}
