package metrics

import (
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// shown is a span that was measured, too.
type shown struct {
	owner owner
	kind  kind
	exemplar
}

type owner uint8

const (
	nobody owner = iota
	ofRequest
	ofABroker
	ofADevice
)

// whose says by a span's name which histogram it was observed in.
var whose = func() map[string]shown {
	all := map[string]shown{}
	for k, o := range ofBroker {
		all[o.span] = shown{owner: ofABroker, kind: kind(k)}
	}
	for k, o := range ofDevice {
		all[o.span] = shown{owner: ofADevice, kind: kind(k)}
	}
	return all
}()

// Kept shows a trace that was exported: its spans become the exemplars of what
// was measured before. A span that was cut to fit its parent, or only stands for
// another, is none: its length is not what was measured. Any goroutine may call
// it; t is not kept.
func (m *Metrics) Kept(t *spans.Trace) {
	if len(t.Spans) == 0 {
		return
	}
	var room [64]shown
	all, cut := room[:0], uint64(0)
	for i := range t.Spans {
		s := &t.Spans[i]
		x := ownerOf(s)
		switch {
		case x.owner == nobody:
		case shortened(s):
			cut++
		default:
			x.exemplar = exemplar{trace: t.ID, duration: time.Duration(max(s.End-s.Start, 0)), end: s.End}
			all = append(all, x)
		}
	}
	m.show(t, all, cut)
}

func (m *Metrics) show(t *spans.Trace, all []shown, cut uint64) {
	id := brokerOf(t.Resource)
	topic, one := text(t.Root().Attributes, spans.KeyDestination)
	device, _ := text(t.Root().Attributes, spans.KeyDevice)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Cut += cut
	b := m.brokers.find(id)
	for i := range all {
		var s *series
		switch x := &all[i]; x.owner {
		case ofRequest:
			s = m.requestSeries(b, topic, one)
		case ofABroker:
			s = b.series(x.kind)
		case ofADevice:
			s = m.deviceSeries(device, x.kind)
		}
		if s == nil {
			m.stats.Unmeasured++
			continue
		}
		m.stats.Exemplars++
		s.put(all[i].exemplar)
	}
}

func (m *Metrics) requestSeries(b *broker, topic string, one bool) *series {
	t := m.topics.several
	if one {
		t = m.topics.find(topic)
	}
	if b == nil || t.index >= len(b.traffic) || b.traffic[t.index] == nil {
		return nil
	}
	return b.traffic[t.index].duration
}

func (b *broker) series(k kind) *series {
	if b == nil {
		return nil
	}
	return b.durations[k]
}

// deviceSeries finds a device by its label: commits are few.
func (m *Metrics) deviceSeries(label string, k kind) *series {
	for _, d := range m.devices.known {
		if d.label == label {
			return d.durations[k]
		}
	}
	if d := m.devices.rest; d != nil {
		return d.durations[k]
	}
	return nil
}

// ownerOf tells a request's root by its kind: an append of which no request was
// seen has another.
func ownerOf(s *spans.Span) shown {
	if s.Kind == spans.Server && (s.Name == spans.NameProduce || strings.HasPrefix(s.Name, spans.NameProduce+" ")) {
		return shown{owner: ofRequest}
	}
	return whose[s.Name]
}

// shortened says that a span is not as long as what it shows.
func shortened(s *spans.Span) bool {
	for i := range s.Attributes {
		if k := s.Attributes[i].Key; k == spans.KeyClipped || k == spans.KeyStub {
			return true
		}
	}
	return false
}

// brokerOf is the node id that a resource names; -1: none.
func brokerOf(r *spans.Resource) int32 {
	if r == nil {
		return -1
	}
	for _, a := range r.Attributes {
		if a.Key != spans.KeyBrokerID {
			continue
		}
		// The environment can override it, with text.
		if id, err := strconv.ParseInt(a.Value.String(), 10, 32); err == nil && id >= 0 {
			return int32(id)
		}
	}
	return -1
}

func text(attrs []attribute.KeyValue, key attribute.Key) (string, bool) {
	for i := range attrs {
		if attrs[i].Key == key {
			return attrs[i].Value.AsString(), true
		}
	}
	return "", false
}
