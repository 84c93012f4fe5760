package assemble

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// UnderWay is what has begun and not ended at an instant, as far as that can be
// seen: of a write only the end is told.
type UnderWay struct {
	Requests int      // that have no response yet
	Late     int      // of them, that have taken their objective and longer
	Oldest   *Waiting // of those that are late

	LockWaits   int           // threads that wait for a Java monitor
	LongestWait time.Duration // of these

	Commit *Committing // the journal commit that has run the longest
}

// Waiting is a request that waits.
type Waiting struct {
	For       time.Duration
	Topic     string // of its first partition
	Partition int32
	ClientID  string
}

// Committing is a commit that runs.
type Committing struct {
	For         time.Duration
	Device      event.Device
	Transaction uint32
}

// UnderWay looks at all that is known at an instant up to which events have been
// handled. Requests without acks wait for nobody, and are not among its requests.
// It takes time with the requests in flight, and changes nothing.
func (a *Assembler) UnderWay(at event.Time, objective func(topic string) time.Duration) UnderWay {
	var u UnderWay
	var oldest *request
	for _, c := range a.conns {
		for _, r := range c.requests {
			if r.ev.Acks == 0 {
				continue
			}
			u.Requests++
			topic, _ := r.topic()
			if slow := objective(topic); slow <= 0 || time.Duration(at-r.ev.Arrival) < slow {
				continue
			}
			u.Late++
			if oldest == nil || r.ev.Arrival < oldest.ev.Arrival {
				oldest = r
			}
		}
	}
	u.Oldest = oldest.waiting(at)
	for _, b := range a.brokers {
		b.lockWaits(&u, at)
	}
	u.Commit = a.committing(at)
	return u
}

func (r *request) waiting(at event.Time) *Waiting {
	if r == nil {
		return nil
	}
	w := &Waiting{For: time.Duration(at - r.ev.Arrival), ClientID: r.ev.ClientID}
	if len(r.ev.Partitions) > 0 {
		p := &r.ev.Partitions[0]
		w.Topic, w.Partition = topicName(p), p.Partition
	}
	return w
}

// lockWaits leaves out what has lasted so long that its end was not seen, rather.
func (b *broker) lockWaits(u *UnderWay, at event.Time) {
	for _, m := range b.monitors {
		for _, w := range m.waiting {
			if took := at - w.start; w.end == 0 && took < requestExpiry {
				u.LockWaits++
				u.LongestWait = max(u.LongestWait, time.Duration(took))
			}
		}
	}
}

func (a *Assembler) committing(at event.Time) (c *Committing) {
	for _, j := range a.devices {
		if j.open == nil {
			continue
		}
		if took := time.Duration(at - j.open.start); c == nil || took > c.For {
			c = &Committing{took, j.open.device, j.open.transaction}
		}
	}
	return c
}
