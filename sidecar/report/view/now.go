package view

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/report"
)

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
