package view

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/spans"
)

// windows are how far the table looks back.
var windows = [...]struct {
	name string
	d    time.Duration
}{{"10 s", 10 * time.Second}, {"1 min", time.Minute}}

const (
	minWidth = 40
	maxWidth = 160 // wider lines are hard to read
	enough   = 24  // rows
	minute   = len(windows) - 1
)

// Draw returns the lines, none with a newline, and no more than there is room for:
// what matters most comes first.
func Draw(s *State, o Options) []string {
	if o.Width <= 0 {
		o.Width = 100
	}
	o.Width = min(max(o.Width, minWidth), maxWidth)
	if o.Location == nil {
		o.Location = time.Local
	}
	p := &page{o: o}
	var w [len(windows)]window
	for i := range windows {
		w[i] = s.Measured.over(windows[i].d)
	}
	p.head(s, &w[0])
	p.end()
	p.stall(s)
	p.end()
	p.table(s, &w)
	p.end()
	p.causes(s, &w[minute])
	p.end()
	p.warnings(s)
	p.stalls(s)
	if o.Rows > 0 && len(p.lines) > o.Rows {
		return p.lines[:o.Rows]
	}
	return p.lines
}

// low says that there is not room for all of it.
func (p *page) low() bool { return p.o.Rows > 0 && p.o.Rows < enough }

// head says who is traced and how much goes on.
func (p *page) head(s *State, w *window) {
	all := []part{{bold, "tailspan " + s.Version}, {plain, report.Clock(s.Now.Sub(s.Since))}}
	for _, b := range s.Brokers {
		who := "broker, pid " + itoa(b.PID)
		if b.Node >= 0 {
			who = "broker " + itoa(b.Node) + ", pid " + itoa(b.PID)
		}
		all = append(all, part{plain, who})
	}
	if len(s.Brokers) == 0 {
		all = append(all, part{yellow, "no broker yet"})
	}
	if r := s.Recording; r != nil {
		x := part{plain, "records to " + name(r.File) + ", " + report.Size(int64(r.Bytes))}
		if r.Broken {
			x = part{alarm, "the recording to " + name(r.File) + " broke off"}
		}
		all = append(all, x)
	}
	p.parts(0, all)
	p.parts(0, []part{
		{plain, figure(w.rate(w.kinds[produced].Count())) + " requests/s"},
		{plain, figure(w.rate(w.records)) + " records/s"},
		{plain, report.Size(int64(w.rate(w.bytes))) + "/s"},
		{plain, itoa(s.UnderWay.Requests) + " in flight"},
		{dim, s.Now.In(p.o.Location).Format(time.TimeOnly)},
	})
}

// stall says what is going on now, in two lines.
func (p *page) stall(s *State) {
	u := &s.UnderWay
	if u.Late > 0 {
		p.put(alarm, "STALL")
		p.oneLine(s.late())
	} else {
		p.put(green, "calm ")
		p.oneLine(s.calm())
	}
	p.put(plain, "     ")
	p.oneLine(rest(u))
}

// oneLine adds phrases to the line, and does not begin another one.
func (p *page) oneLine(all []part) {
	p.put(plain, "  ")
	p.parts(p.o.Width, all)
}

// late says whom it hits.
func (s *State) late() []part {
	u := &s.UnderWay
	all := []part{{bold, itoa(u.Late) + " of " + itoa(u.Requests) + " in flight wait " + s.beyond()}}
	if o := u.Oldest; o != nil {
		who := "oldest " + report.Duration(int64(o.For)) + ": " + name(o.Topic) + "-" + itoa(o.Partition)
		if o.ClientID != "" {
			who += " of " + name(o.ClientID)
		}
		all = append(all, part{plain, who})
	}
	return all
}

func (s *State) beyond() string {
	if s.TopicSLOs {
		return "≥ their objective"
	}
	return "≥ " + brief(s.SLO)
}

// calm says since when nothing was.
func (s *State) calm() []part {
	if s.SLO <= 0 && !s.TopicSLOs {
		return []part{{plain, "nothing is slow without an objective (--slo 0)"}}
	}
	all := []part{{plain, "none of " + itoa(s.UnderWay.Requests) + " in flight waits " + s.beyond()}}
	if len(s.Stalls) > 0 {
		ago := max(s.Now.Sub(time.Unix(0, s.Stalls[0].End)), 0)
		all = append(all, part{plain, "the last slow one ended " + report.Clock(ago) + " ago"})
	}
	return all
}

// rest is what else is under way.
func rest(u *assemble.UnderWay) (all []part) {
	if c := u.Commit; c != nil {
		all = append(all, part{plain, "commit " + itoa(c.Transaction) + " on " + itoa(c.Device.Major()) + ":" + itoa(c.Device.Minor()) +
			" runs for " + report.Duration(int64(c.For))})
	}
	if u.LockWaits > 0 {
		all = append(all, part{plain, report.Count(uint64(u.LockWaits), "lock wait, ", "lock waits, up to ") +
			report.Duration(int64(u.LongestWait))})
	}
	return all
}

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

// figure is a rate, with a tenth where it is small.
func figure(x float64) string {
	if x >= 100 || x == 0 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'f', 1, 64)
}

// percent is a share; what is not zero is not shown as zero.
func percent(n, of uint64) string {
	x := 100 * float64(n) / float64(of)
	switch {
	case n > 0 && x < 0.01:
		return "<0.01%"
	case n > 0 && x < 1:
		return strconv.FormatFloat(x, 'f', 2, 64) + "%"
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + "%"
}

// brief is a duration as it was given: 65ms, 1s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	return s
}

func itoa[T int | int32 | uint32](n T) string { return strconv.FormatInt(int64(n), 10) }
