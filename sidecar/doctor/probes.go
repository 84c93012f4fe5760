package doctor

import (
	"slices"
	"strings"

	"github.com/tailspan/tailspan/bpf"
)

// probePrefix is that of the names of the probes' checks.
const probePrefix = "probe "

// hit is what a backend costs each time that it is hit, without the program:
// measured on Linux 6.18, and as published (fentry, kprobe).
var hit = map[string]string{
	bpf.Fentry:     "some 0.04 µs a hit",
	bpf.TpBTF:      "some 0.08 µs a hit",
	bpf.RawTP:      "some 0.08 µs a hit",
	bpf.Tracepoint: "some 0.18 µs a hit",
	bpf.Kprobe:     "some 0.15 µs a hit",
	bpf.PerfEvent:  "some 50 times a second on each CPU",
}

// probes loads what the kernel takes; it stays loaded for the brokers.
func (h *host) probes(o *Options) {
	if h.kernel, h.noProbes = o.open(); h.noProbes != nil {
		h.kernel = nil
		if h.lack == "" { // before Linux 5.11 maps count as locked memory
			h.blame(o.give(toLock))
		}
		h.add(Check{Name: "probes", State: Missing, Detail: "none loads: " + h.whyNot(h.noProbes), Fix: h.fix})
		return
	}
	for _, s := range h.kernel.Status() {
		h.subjects[s.Name] = s
		h.add(h.probe(s))
	}
}

// probe: a worse backend than the best is no flaw, for it shows the same.
func (h *host) probe(s bpf.Subject) Check {
	c := Check{Name: probePrefix + s.Name, State: OK, Backend: s.Backend, Detail: s.Backend}
	if cost := hit[s.Backend]; cost != "" {
		c.Detail += ", " + cost
	}
	switch {
	case s.Err != nil && s.Attached:
		c.State, c.Detail = Degraded, s.Backend+", but: "+oneLine(s.Err)
	case s.Err != nil:
		c.State, c.Detail, c.Fix = Missing, h.whyNot(s.Err), h.fix
	case bpf.PerProcess(s.Name):
		c.Detail = "loads; attached to each JVM"
	}
	for _, t := range s.Tried {
		c.Tried = append(c.Tried, Tried{t.Backend, oneLine(t.Err)})
	}
	return c
}

// whyNot says which capabilities are lacking rather than what failed for want
// of them, which may be anything (without CAP_BPF, lifting a limit).
func (h *host) whyNot(err error) string {
	if h.lack != "" {
		return h.lack
	}
	return oneLine(err)
}

// cannot says why a subject cannot be seen; "" if it can.
func (h *host) cannot(subject string) string {
	s, ok := h.subjects[subject]
	switch {
	case h.noProbes != nil:
		return h.whyNot(h.noProbes)
	case !ok:
		return "no such probe"
	case s.Err != nil && !s.Attached:
		return h.whyNot(s.Err)
	}
	return ""
}

// unknown says that this build has no program for a subject.
func (h *host) unknown(subject string) bool {
	_, ok := h.subjects[subject]
	return !ok && h.noProbes == nil
}

// ease: a probe that is not to be had is no flaw where no broker's file system
// has what it shows.
func ease(checks []Check, brokers []Broker) {
	for i := range checks {
		c := &checks[i]
		subject, ok := strings.CutPrefix(c.Name, probePrefix)
		if ok && c.State != OK && len(brokers) > 0 && !asked(subject, brokers) {
			c.State, c.Fix = NotHere, ""
		}
	}
}

func asked(subject string, brokers []Broker) bool {
	known := false
	for _, k := range kinds {
		if !k.asksFor(subject) {
			continue
		}
		known = true
		for _, b := range brokers {
			if slices.ContainsFunc(b.Spans, func(c Check) bool { return c.Name == k.span && c.State != NotHere }) {
				return true
			}
		}
	}
	return !known // monitors, and what is new
}
