package assemble

import (
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
)

// awaitName keeps a part in mind until its topic's name is known: the id of a
// new topic can be on the wire before its name is on disk.
func (b *broker) awaitName(p *part) {
	id := p.asked().TopicID
	if b.unnamed[id] == nil && len(b.unnamed) >= maxUnnamed {
		return // its response, or nothing, will name it
	}
	b.unnamed[id] = append(b.unnamed[id], p)
}

// giveUpName lets go of a part that is finished without a name.
func (b *broker) giveUpName(p *part) {
	id := p.asked().TopicID
	rest := without(b.unnamed[id], p)
	if len(rest) == 0 {
		delete(b.unnamed, id)
	} else {
		b.unnamed[id] = rest
	}
}

// topicName fills in what a topic id stands for.
func (a *Assembler) topicName(e *event.TopicName) {
	for _, b := range a.brokers {
		if e.PID != 0 && b.pid != e.PID {
			continue
		}
		for _, p := range slices.Clone(b.unnamed[e.ID]) {
			b.learn(p, e.Name)
			a.lookBack(p)
		}
	}
}

// learn gives a part the name of its topic. How far the log had come when the
// request did is not known any more.
func (b *broker) learn(p *part, topic string) {
	q := p.asked()
	if q.Topic != "" || topic == "" {
		return
	}
	b.giveUpName(p)
	waiting := p.waiting
	b.unexpect(p)
	q.Topic = topic
	if waiting {
		b.expect(p)
	}
	p.log = b.log(q.TopicPartition)
	p.logEnd, p.holes = 0, unknownHoles
}
