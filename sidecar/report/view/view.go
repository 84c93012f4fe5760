package view

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/report"
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
