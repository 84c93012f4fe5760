package sidecar

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/metrics"
)

// measures hands what the assembler measures to the metrics, in their words. It
// lives on the assembler's goroutine, which has it allocate nothing.
type measures struct {
	*metrics.Metrics
	view    *liveView // is told of slow requests
	request metrics.Request
	write   metrics.Write
	wait    metrics.Wait
	pause   metrics.Pause
}

// measures is nil where nothing is measured.
func (s *Sidecar) measures() assemble.Measures {
	if s.out.metrics == nil {
		return nil
	}
	return &measures{Metrics: s.out.metrics, view: s.view}
}

func (m *measures) MeasureRequest(r *assemble.RequestMeasure) {
	topics := m.request.Topics[:0]
	for _, t := range r.Topics {
		topics = append(topics, metrics.TopicPart{Topic: t.Topic, Partitions: t.Partitions, Bytes: t.Bytes, Records: t.Records, Errors: t.Errors, Error: t.Error})
	}
	m.request = metrics.Request{Broker: r.Broker, Latency: r.Latency, Queue: r.Queue, Replication: r.Replication,
		Cause: r.Cause, RootCause: r.RootCause, Failed: r.Failed, Topics: topics}
	if m.Request(&m.request) {
		m.view.slow(r.Trace)
	}
}

func (m *measures) MeasureWrite(broker int32, d time.Duration) {
	m.write = metrics.Write{Broker: broker, Duration: d}
	m.Write(&m.write)
}

func (m *measures) MeasureDirtyInode(broker int32, d time.Duration) { m.DirtyInode(broker, d) }

func (m *measures) MeasureFsync(broker int32, d time.Duration) { m.Fsync(broker, d) }

func (m *measures) MeasureWait(broker int32, park bool, d time.Duration) {
	m.wait = metrics.Wait{Broker: broker, Park: park, Duration: d}
	m.Wait(&m.wait)
}

func (m *measures) MeasurePause(broker int32, gc bool, d time.Duration) {
	m.pause = metrics.Pause{Broker: broker, GC: gc, Duration: d}
	m.Pause(&m.pause)
}

func (m *measures) MeasureCommit(c *assemble.CommitMeasure) {
	m.Commit(&metrics.Commit{Device: c.Device, Duration: c.All, Locking: c.Locking, Flushing: c.Flushing, Logging: c.Logging})
}
