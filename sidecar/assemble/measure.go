package assemble

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/spans"
)

// Measures takes what is timed and counted of everything, whether its trace is
// kept or not, on the goroutine that calls the Assembler. What it is handed is
// good until it returns.
type Measures interface {
	MeasureRequest(*RequestMeasure)             // each finished request
	MeasureWrite(broker int32, d time.Duration) // each write to a segment, a request's or not
	MeasureDirtyInode(broker int32, d time.Duration)
	MeasureFsync(broker int32, d time.Duration)
	MeasureWait(broker int32, park bool, d time.Duration) // each wait for a monitor, or for another lock
	MeasureCommit(*CommitMeasure)                         // each journal commit
	MeasurePause(broker int32, gc bool, d time.Duration)
}

// RequestMeasure is a finished request. Broker is the node's id, -1 where that
// is not known.
type RequestMeasure struct {
	Broker           int32
	Latency          time.Duration // first byte in to first byte out
	Queue            time.Duration // 0: nothing was seen that ended it
	Replication      time.Duration // 0: it did not wait for followers
	Cause, RootCause spans.Cause
	Failed           bool // it has an error, was lost, or was never answered
	Topics           []TopicMeasure

	Trace Candidate // good for as long as it is kept
}

// TopicMeasure is what a request brought to one topic.
type TopicMeasure struct {
	Topic              string
	Partitions, Errors int
	Error              string // the first one's name
	Bytes, Records     int64
}

// CommitMeasure is a journal commit and its phases.
type CommitMeasure struct {
	Device                     event.Device
	All                        time.Duration
	Locking, Flushing, Logging time.Duration
}

func (a *Assembler) measureRequest(r *request) {
	if a.o.Measures == nil {
		return
	}
	m := &a.measure
	*m = RequestMeasure{Broker: r.b.id.Node, Latency: r.Latency(), Cause: r.verdict.cause, RootCause: r.verdict.root,
		Failed: r.error() != "", Topics: m.Topics[:0], Trace: r}
	for i := range a.phases { // those that judge has found
		p := &a.phases[i]
		switch p.cost {
		case costQueue:
			m.Queue += time.Duration(p.end - p.start)
		case costReplication:
			m.Replication += time.Duration(p.end - p.start)
		}
	}
	for i := range r.parts {
		m.add(&r.parts[i], &r.ev.Partitions[i])
	}
	a.o.Measures.MeasureRequest(m)
}

// maxApart is how far back a partition's topic is looked for: a hostile request
// names thousands of topics. One that is named again later is another part.
const maxApart = 64

// add counts a partition to its topic; mostly that is the last one's.
func (m *RequestMeasure) add(p *part, asked *event.RequestPartition) {
	name := topicName(asked)
	n := len(m.Topics) - 1
	first := max(len(m.Topics)-maxApart, 0)
	for n >= first && m.Topics[n].Topic != name {
		n--
	}
	if n < first {
		m.Topics = append(m.Topics, TopicMeasure{Topic: name})
		n = len(m.Topics) - 1
	}
	t := &m.Topics[n]
	t.Partitions++
	t.Bytes += int64(asked.Bytes)
	t.Records += int64(asked.Records)
	if p.err != 0 {
		if t.Errors++; t.Error == "" {
			t.Error = kafka.ErrorName(p.err)
		}
	}
}

func (a *Assembler) measureCommit(c *commit) {
	if a.o.Measures == nil {
		return
	}
	p := c.phases()
	a.o.Measures.MeasureCommit(&CommitMeasure{
		Device: c.device, All: time.Duration(c.ev.End - c.ev.Start),
		Locking: time.Duration(p[1].end - p[1].start), Flushing: time.Duration(p[2].end - p[2].start),
		Logging: time.Duration(p[3].end - p[3].start),
	})
}
