package view

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/spans"
)

// The columns of the table, by their ends.
const (
	windowColumn = 18
	rateColumn   = 29
	firstColumn  = rateColumn + 11
	columnWidth  = 10
)

var quantiles = [...]struct {
	name string
	q    float64
}{{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}}

// table says how long things took.
func (p *page) table(s *State, w *[len(windows)]window) {
	p.right(dim, "per second", rateColumn)
	column := firstColumn
	for _, q := range quantiles {
		p.right(dim, q.name, column)
		column += columnWidth
	}
	p.right(dim, "longest", column)
	if slow := s.slow(); slow != "" {
		p.right(dim, slow, column+columnWidth)
	}
	p.end()
	n := len(windows)
	if p.low() {
		n = 1
	}
	for k := range kinds {
		for i := range n {
			if i == 0 {
				p.put(bold, kinds[k].name)
			}
			p.right(dim, windows[i].name, windowColumn)
			p.row(s, &w[i], k)
		}
	}
}

// slow heads the column of the share that was.
func (s *State) slow() string {
	switch {
	case s.TopicSLOs:
		return "slow"
	case s.SLO <= 0:
		return ""
	}
	return "≥ " + brief(s.SLO)
}

func (p *page) row(s *State, w *window, k int) {
	d := &w.kinds[k]
	n := d.Count()
	p.right(plain, figure(w.rate(n)), rateColumn)
	column := firstColumn
	for _, q := range quantiles {
		p.took(s, k, d.Quantile(q.q), n, column)
		column += columnWidth
	}
	p.took(s, k, d.Max, n, column)
	if k == produced && n > 0 && s.slow() != "" {
		x := part{plain, percent(sum(w.slow), n)}
		if len(w.slow) > 0 {
			x.style = yellow
		}
		p.right(x.style, x.text, column+columnWidth)
	}
	p.end()
}

func (p *page) took(s *State, k int, d time.Duration, of uint64, column int) {
	switch {
	case of == 0:
		p.right(dim, "-", column)
	case s.SLO > 0 && d >= s.SLO && k != commits:
		p.right(yellow, report.Duration(int64(d)), column)
	default:
		p.right(plain, report.Duration(int64(d)), column)
	}
}

const countColumn = windowColumn

// causes says why requests were slow.
func (p *page) causes(s *State, w *window) {
	p.cause("slow, 1 min", w.slow)
	if !p.low() {
		p.cause("slow, all", s.Measured.all())
	}
}

func (p *page) cause(what string, by map[spans.Cause]uint64) {
	p.put(bold, what)
	p.right(plain, strconv.FormatUint(sum(by), 10), countColumn)
	if len(by) > 0 {
		p.put(dim, "  because of ")
	}
	p.parts(countColumn+2, ranked(by))
}

// ranked are causes, the most frequent first.
func ranked(by map[spans.Cause]uint64) (all []part) {
	causes := slices.SortedFunc(maps.Keys(by), func(a, b spans.Cause) int {
		return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b))
	})
	for _, c := range causes {
		all = append(all, part{plain, cmp.Or(string(c), "unknown") + " " + strconv.FormatUint(by[c], 10)})
	}
	return all
}
