package page

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

const (
	maxCauses  = 512      // pairs of root cause and reason
	maxTopics  = 4096     // with a line of their own
	maxThreads = 8192     // likewise
	other      = "(rest)" // what those are that found no room
	several    = "(several topics)"
	noTopic    = "(no topic)"
)

// Slow is what took as long as its objective or longer.
type Slow struct {
	Count uint64 `json:"count"`
	NS    int64  `json:"ns"`      // what it took, all in all
	Lost  int64  `json:"lost_ns"` // beyond the objective
	Max   int64  `json:"max_ns"`
}

func (s *Slow) add(ns, objective int64) {
	s.Count++
	s.NS += ns
	s.Lost += ns - objective
	s.Max = max(s.Max, ns)
}

func (s *Slow) merge(o *Slow) {
	s.Count += o.Count
	s.NS += o.NS
	s.Lost += o.Lost
	s.Max = max(s.Max, o.Max)
}

// causeKey is a root cause and why the kernel let it last.
type causeKey struct {
	root   spans.Cause
	reason string
}

// Cause is the slow requests of one root cause and one reason.
type Cause struct {
	Root   string `json:"root"`
	Reason string `json:"reason,omitempty"`
	Slow
	Appends uint64 `json:"appends,omitempty"` // of Count: of which no request could be read
}

type causes map[causeKey]*Cause

func (c causes) add(k causeKey, ns, objective int64, request bool) {
	t := c[k]
	if t == nil {
		if len(c) >= maxCauses {
			k = causeKey{root: other}
		}
		if t = c[k]; t == nil {
			t = &Cause{Root: string(k.root), Reason: k.reason}
			c[k] = t
		}
	}
	t.add(ns, objective)
	if !request {
		t.Appends++
	}
}

func (c causes) merge(o causes) {
	for k, t := range o {
		if mine := c[k]; mine != nil {
			mine.merge(&t.Slow)
			mine.Appends += t.Appends
		} else {
			c[k] = t
		}
	}
}

// list has the most costly first.
func (c causes) list() []Cause {
	all := make([]Cause, 0, len(c))
	for _, t := range c {
		x := *t
		x.Root, x.Reason = text(x.Root), text(x.Reason)
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.NS, a.NS), cmp.Compare(a.Root, b.Root), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}

// topic is what requests of one topic, or of several at once, came to.
type topic struct {
	group    uint16 // of their latencies
	requests uint64
	records  int64
	bytes    int64
	errors   uint64
	slow     Slow
}

type topics map[string]*topic

// of finds a request's line; topics beyond the bound share one.
func (t topics) of(name string) *topic {
	x := t[name]
	if x != nil {
		return x
	}
	if len(t) >= maxTopics {
		name = other
		if x = t[name]; x != nil {
			return x
		}
	}
	x = &topic{group: uint16(len(t))}
	t[name] = x
	return x
}

// topicOf is the line of a request.
func topicOf(r *assemble.RequestRow) string {
	if len(r.Partitions) == 0 {
		return noTopic
	}
	name := r.Partitions[0].Topic
	for i := range r.Partitions[1:] {
		if r.Partitions[1+i].Topic != name {
			return several
		}
	}
	return name
}

func (t *topic) add(r *assemble.RequestRow) {
	t.requests++
	for i := range r.Partitions {
		p := &r.Partitions[i]
		t.bytes += int64(p.Bytes)
		t.records += int64(p.Records)
		if p.Error != nil && *p.Error != 0 {
			t.errors++
		}
	}
}

// threadKey is a thread of a broker.
type threadKey struct{ pid, tid int32 }

// spent is how often and for how long.
type spent struct {
	Count uint64 `json:"count"`
	NS    int64  `json:"ns"`
	Max   int64  `json:"max_ns"`
}

func (s *spent) add(ns int64) {
	s.Count++
	s.NS += ns
	s.Max = max(s.Max, ns)
}

// Thread is what one thread of a broker did and cost.
type Thread struct {
	Name   string `json:"name"`
	PID    int32  `json:"pid"`
	TID    int32  `json:"tid"`
	Writes spent  `json:"writes"`
	Waits  spent  `json:"waits"`
	Held   int64  `json:"held_ns"` // what others waited for a lock of its
}

func (t *Thread) total() int64 { return t.Writes.NS + t.Waits.NS + t.Held }

type threads map[threadKey]*Thread

func (t threads) of(pid, tid int32, name string) *Thread {
	k := threadKey{pid, tid}
	x := t[k]
	if x == nil {
		if len(t) >= maxThreads {
			k, name = threadKey{}, other
		}
		if x = t[k]; x == nil {
			x = &Thread{PID: k.pid, TID: k.tid}
			t[k] = x
		}
	}
	if x.Name != name {
		x.Name = name
	}
	return x
}

// worst are those that wrote, waited and held others up the longest, all in all.
func (t threads) worst(n int) []Thread {
	all := make([]Thread, 0, len(t))
	for _, k := range slices.SortedFunc(maps.Keys(t), func(a, b threadKey) int {
		return cmp.Or(cmp.Compare(t[b].total(), t[a].total()), cmp.Compare(a.pid, b.pid), cmp.Compare(a.tid, b.tid))
	}) {
		if len(all) == n {
			break
		}
		all = append(all, *t[k])
	}
	return all
}
