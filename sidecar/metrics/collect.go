package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, k := range ofBroker {
		ch <- k.desc
	}
	for _, k := range ofDevice {
		ch <- k.desc
	}
	for _, d := range []*prometheus.Desc{produceDuration, produceMax, slowRequests, slowSeconds, produceBytes,
		produceRecords, produceErrors, ownTopics, otherRequests, writeMax, commitMax} {
		ch <- d
	}
}

// Collect implements prometheus.Collector: all as it was at one instant.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.scraping.Lock()
	defer m.scraping.Unlock()
	all, numbers := m.take()
	for i, s := range all {
		ch <- m.copies[i].expose(s)
	}
	for i := range numbers {
		ch <- &numbers[i]
	}
}

// take copies what was measured. Only this holds up those who measure.
func (m *Metrics) take() ([]*series, []number) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn()
	m.copies = m.copies[:0]
	for _, s := range m.all {
		s.exemplars.stamp()
		m.copies = append(m.copies, s.measured)
	}
	n := numbers{
		{ownTopics, nil, prometheus.GaugeValue, float64(len(m.topics.known))},
		{otherRequests, nil, prometheus.CounterValue, float64(m.otherRequests)},
	}
	m.brokers.each(n.broker)
	m.devices.each(func(d *device) { n.window(commitMax, d.labels, &d.commitMax, d.durations[commit] != nil) })
	return m.all[:len(m.all):len(m.all)], n
}

// turn begins new windows when the old ones are old enough.
func (m *Metrics) turn() {
	now := m.now()
	if now.Sub(m.turned) < windowTime {
		return
	}
	m.turned = now
	m.brokers.each(func(b *broker) { b.produceMax.turn(); b.writeMax.turn() })
	m.devices.each(func(d *device) { d.commitMax.turn() })
}

// expose is the histogram with its exemplars.
func (x *measured) expose(s *series) prometheus.Metric {
	m := &exposed{s, x.histogram.expose(s.since)}
	examples := x.exemplars.of(&x.histogram)
	if len(examples) == 0 {
		return m
	}
	with, err := prometheus.NewMetricWithExemplars(m, examples...)
	if err != nil {
		return prometheus.NewInvalidMetric(s.desc, err)
	}
	return with
}

// exposed is a histogram of one scrape. It is written once.
type exposed struct {
	s *series
	h *dto.Histogram
}

func (e *exposed) Desc() *prometheus.Desc { return e.s.desc }

func (e *exposed) Write(out *dto.Metric) error {
	out.Label, out.Histogram = e.s.labels, e.h
	return nil
}
