package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/tailspan/tailspan/sidecar/event"
)

// A host has a broker or a few, and as many devices; a recording may name any.
const (
	maxBrokers = 32
	maxDevices = 64
)

// broker is all that is measured of one.
type broker struct {
	label                string
	labels               []*dto.LabelPair
	durations            [brokerKinds]*series // nil: none yet
	produceMax, writeMax window
	traffic              []*traffic // by the topic's index; nil: none yet
}

func newBroker(id int32, own bool) *broker {
	label := otherLabel
	switch {
	case !own:
	case id < 0:
		label = unknownLabel
	default:
		label = strconv.Itoa(int(id))
	}
	return &broker{label: label, labels: prometheus.MakeLabelPairs(writeMax, []string{label})}
}

// unknownLabel is that of a broker or a cause that is not known.
const unknownLabel = "unknown"

func (m *Metrics) broker(id int32) *broker {
	return m.brokers.get(max(id, -1), newBroker)
}

// observe counts what took d.
func (b *broker) observe(m *Metrics, k kind, d time.Duration) {
	s := b.durations[k]
	if s == nil {
		s = m.series(ofBroker[k], b.label)
		b.durations[k] = s
	}
	s.observe(d)
}

// device is all that is measured of one.
type device struct {
	label     string
	labels    []*dto.LabelPair
	durations [deviceKinds]*series
	commitMax window
}

func newDevice(id event.Device, own bool) *device {
	label := otherLabel
	if own {
		label = deviceLabel(id)
	}
	return &device{label: label, labels: prometheus.MakeLabelPairs(commitMax, []string{label})}
}

func deviceLabel(d event.Device) string {
	return strconv.Itoa(int(d.Major())) + ":" + strconv.Itoa(int(d.Minor()))
}

func (d *device) observe(m *Metrics, k kind, t time.Duration) {
	s := d.durations[k]
	if s == nil {
		s = m.series(ofDevice[k], d.label)
		d.durations[k] = s
	}
	s.observe(t)
}
