package doctor

import (
	"strings"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/spans"
)

// What a request is known by comes from its packets, what it did from the
// kernel and the JVM: of an encrypted one only the second half is left.
const (
	lostEncrypted = "client and client id, api version, correlation id, acks, transactional id, error codes; " +
		"the request's latency with its phases (receive, queue, replication wait, throttling, response); " +
		"which appends came in one request; requests that wrote nothing; " +
		"where followers fetch through it, which one of them an acks=all request waited for"
	keptEncrypted = "a trace rooted at each append that a request handler wrote: topic, partition, base offset, records, " +
		"producer id (all from the written batch header), message ids and trace contexts (record headers, from the segment), " +
		"file, handler thread, and below it what it waited for"
	whyEncrypted = "TLS ends inside the broker, so packets hold no request; the batch is in the clear when it is written to the log"
)

// encrypted says what encrypted listeners cost.
func (p *patient) encrypted() {
	if len(p.sealed()) == 0 {
		return
	}
	p.add("encrypted, lost", Degraded, "", "%s", lostEncrypted)
	if why := p.h.cannot(bpf.SubjectWrite); why != "" {
		p.add("encrypted, traced", Missing, p.h.fix, "nothing: the broker's writes cannot be seen: %s", why)
		return
	}
	p.add("encrypted, traced", OK, "", "%s", keptEncrypted)
	p.add("encrypted, why", OK, "", "%s", whyEncrypted)
}

// sealed are the addresses of the encrypted listeners.
func (p *patient) sealed() (all []string) {
	for _, l := range p.Listeners {
		if l.TLS() {
			all = append(all, l.Addr.String())
		}
	}
	return all
}

// append is the root of a trace where the request cannot be read.
func (p *patient) append() Check {
	c := Check{Name: spans.NameAppend, State: OK}
	if c.Detail = p.h.cannot(bpf.SubjectWrite); c.Detail != "" {
		c.State, c.Fix = Missing, p.h.fix
		return c
	}
	c.From = []Source{{bpf.SubjectWrite, p.h.subjects[bpf.SubjectWrite].Backend}}
	c.Detail = "root of its own trace for requests to " + strings.Join(p.sealed(), ", ")
	if len(p.LogDirs) == 0 {
		c.State, c.Detail, c.Fix = Degraded, c.Detail+"; without record headers: its log dirs are not known", p.rights()
		return c
	}
	c.Detail += "; record headers from the segments"
	return c
}
