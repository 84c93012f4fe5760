package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/tailspan/tailspan/spans"
)

// maxErrors bounds the names of errors. Kafka has some 130, and who answers may
// send any number.
const maxErrors = 64

// lostLabel is the error of a request that was never appended or answered.
const lostLabel = "(lost)"

// traffic is one topic of one broker.
type traffic struct {
	broker, topic  string
	labels         []*dto.LabelPair
	duration       *series // nil: only in requests of several topics
	parted         bool    // bytes and records were counted
	bytes, records uint64
	errors         map[string]*tally // by label
	slow           map[causes]*tally // bounded: causes are a closed list
}

type causes struct{ cause, root spans.Cause }

// tally counts something that is rare, and how long it took.
type tally struct {
	labels []*dto.LabelPair
	n      uint64
	ns     float64
}

// trafficOf is that of a topic, made at its first use.
func (b *broker) trafficOf(t *topic) *traffic {
	for len(b.traffic) <= t.index {
		b.traffic = append(b.traffic, nil)
	}
	x := b.traffic[t.index]
	if x == nil {
		x = &traffic{broker: b.label, topic: t.label,
			labels: prometheus.MakeLabelPairs(produceBytes, []string{b.label, t.label}),
			errors: map[string]*tally{}, slow: map[causes]*tally{}}
		b.traffic[t.index] = x
	}
	return x
}

func (x *traffic) took(m *Metrics, d time.Duration) {
	if x.duration == nil {
		x.duration = m.series(kindOf{desc: produceDuration, label: x.topic}, x.broker)
	}
	x.duration.observe(d)
}

func (x *traffic) add(bytes, records int64) {
	x.parted = true
	x.bytes += uint64(max(bytes, 0))
	x.records += uint64(max(records, 0))
}

func (x *traffic) failed(label string, n int) {
	t := x.errors[label]
	if t == nil {
		t = &tally{labels: prometheus.MakeLabelPairs(produceErrors, []string{x.broker, x.topic, label})}
		x.errors[label] = t
	}
	t.n += uint64(n)
}

func (x *traffic) wasSlow(d time.Duration, c causes) {
	t := x.slow[c]
	if t == nil {
		t = &tally{labels: prometheus.MakeLabelPairs(slowRequests,
			[]string{x.broker, x.topic, causeLabel(c.cause), causeLabel(c.root)})}
		x.slow[c] = t
	}
	t.n++
	t.ns += float64(d)
}

func causeLabel(c spans.Cause) string {
	if c == spans.CauseNone {
		return unknownLabel
	}
	return string(c)
}

// errorLabel is the label of an error.
func (m *Metrics) errorLabel(name string) string {
	if l := m.errors.find(name); l != nil {
		return *l
	}
	return *m.errors.get(strings.Clone(name), newErrorLabel)
}

func newErrorLabel(name string, own bool) *string {
	if !own || name == "" {
		return new(otherLabel)
	}
	return new(strings.ToValidUTF8(name, "\uFFFD"))
}
