package metrics

import (
	"strings"
	"time"
)

// DefaultMaxTopics is how many topics have a label of their own where Options
// does not say.
const DefaultMaxTopics = 100

// Labels of what has none of its own. No topic of Kafka is called so.
const (
	otherLabel   = "(other)"
	severalLabel = "(several)"
)

// topic is one value of the label.
type topic struct {
	index     int // in broker.traffic
	label     string
	objective time.Duration
}

// topics are the labels of topics. One that was given stays: who comes after
// the last one is counted as other for good.
type topics struct {
	table[string, topic]
	slo     func(topic string) time.Duration
	several *topic
}

func newTopics(limit int, slo func(string) time.Duration) topics {
	if limit <= 0 {
		limit = DefaultMaxTopics
	}
	if slo == nil {
		slo = func(string) time.Duration { return 0 }
	}
	t := topics{table: newTable[string, topic](limit), slo: slo}
	t.rest = &topic{index: 0, label: otherLabel}
	t.several = &topic{index: 1, label: severalLabel, objective: slo("")}
	return t
}

// of is a topic's label. Only one of which the broker took something gets one of
// its own, so that names that a client makes up use up none.
func (t *topics) of(name string, taken bool) *topic {
	if known := t.known[name]; known != nil {
		return known
	}
	if !taken || t.full() || !legal(name) {
		return t.rest
	}
	name = strings.Clone(name)
	n := &topic{index: 2 + len(t.known), label: name, objective: t.slo(name)}
	t.known[name] = n
	return n
}

// find is the label that a topic has by now.
func (t *topics) find(name string) *topic {
	if known := t.known[name]; known != nil {
		return known
	}
	return t.rest
}

// legal says whether a topic can have that name: Kafka's own rule
// (org.apache.kafka.common.internals.Topic), which an id in base64 meets, too.
func legal(name string) bool {
	const longest = 249
	if name == "" || len(name) > longest {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
