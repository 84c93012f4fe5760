package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// number is a counter or a gauge of one scrape. Its labels are made once, which
// those of client_golang's are not.
type number struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	kind   prometheus.ValueType
	value  float64
}

func (n *number) Desc() *prometheus.Desc { return n.desc }

func (n *number) Write(out *dto.Metric) error {
	out.Label = n.labels
	if n.kind == prometheus.CounterValue {
		out.Counter = &dto.Counter{Value: &n.value}
	} else {
		out.Gauge = &dto.Gauge{Value: &n.value}
	}
	return nil
}

type numbers []number

func (n *numbers) counter(desc *prometheus.Desc, labels []*dto.LabelPair, value float64) {
	*n = append(*n, number{desc, labels, prometheus.CounterValue, value})
}

func (n *numbers) window(desc *prometheus.Desc, labels []*dto.LabelPair, w *window, any bool) {
	if any {
		*n = append(*n, number{desc, labels, prometheus.GaugeValue, seconds(w.greatest())})
	}
}

func (n *numbers) broker(b *broker) {
	n.window(produceMax, b.labels, &b.produceMax, b.traffic != nil)
	n.window(writeMax, b.labels, &b.writeMax, b.durations[write] != nil)
	for _, x := range b.traffic {
		if x != nil {
			n.traffic(x)
		}
	}
}

func (n *numbers) traffic(x *traffic) {
	if x.parted {
		n.counter(produceBytes, x.labels, float64(x.bytes))
		n.counter(produceRecords, x.labels, float64(x.records))
	}
	for _, t := range x.errors {
		n.counter(produceErrors, t.labels, float64(t.n))
	}
	for _, t := range x.slow {
		n.counter(slowRequests, t.labels, float64(t.n))
		n.counter(slowSeconds, t.labels, t.ns/1e9)
	}
}
