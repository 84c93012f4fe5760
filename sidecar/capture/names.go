package capture

import "github.com/tailspan/tailspan/sidecar/event"

// topicKey is a topic id as one broker's Topics know it.
type topicKey struct {
	pid int32
	id  [16]byte
}

// unnamed are the topic ids that were handed on without a name, a bounded
// number, in the order in which they came up.
type unnamed struct {
	order []topicKey
	last  map[topicKey]int64 // the latest stamp of one that was handed on
}

func (u *unnamed) add(k topicKey, at int64) {
	if k.id == ([16]byte{}) {
		return
	}
	if _, ok := u.last[k]; !ok {
		if len(u.order) >= maxUnnamed {
			return
		}
		u.order = append(u.order, k)
	}
	u.last[k] = at
}

// nameTopics hands on the names that have become known. What nobody can wait
// for any more is forgotten.
//
// It looks only at what is known already: what a look at the log dirs taught
// is recorded after the Tick in which it happened, and so it counts from the
// next one, live as in a replay.
func (d *Decoder) nameTopics(at event.Time) {
	u := &d.unnamed
	keep := u.order[:0]
	for _, k := range u.order {
		name, ok := d.o.Topics.Known(k.pid, k.id)
		switch {
		case ok:
			d.o.Emit(&event.TopicName{Time: at, PID: k.pid, ID: k.id, Name: name})
		case d.now-u.last[k] <= int64(d.o.Bounds.RequestTimeout):
			keep = append(keep, k)
			continue
		}
		delete(u.last, k)
	}
	u.order = keep
}

// lookAgain has Topics look for the names that are missing, each broker's once.
func (d *Decoder) lookAgain() {
	var asked topicKey
	for i, k := range d.unnamed.order {
		if i == 0 || k.pid != asked.pid {
			d.o.Topics.Name(k.pid, k.id)
		}
		asked = k
	}
}
