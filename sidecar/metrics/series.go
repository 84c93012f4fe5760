package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// series is one histogram with its labels.
type series struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	since  time.Time
	measured
}

// measured is what changes of it.
type measured struct {
	histogram
	exemplars
}

// series makes one, of an owner (a broker, a device) or of an owner's topic.
func (m *Metrics) series(k kindOf, owner string) *series {
	values := []string{owner}
	if k.label != "" {
		values = append(values, k.label)
	}
	s := &series{desc: k.desc, labels: prometheus.MakeLabelPairs(k.desc, values), since: m.now()}
	m.all = append(m.all, s)
	return s
}
