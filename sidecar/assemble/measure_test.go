package assemble

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/spans"
)

// gauge keeps what is measured.
type gauge struct {
	requests                           []RequestMeasure
	commits                            []CommitMeasure
	writes, dirty, fsyncs, waits, stop []time.Duration
}

func (g *gauge) MeasureRequest(m *RequestMeasure) {
	c := *m
	c.Topics = slices.Clone(m.Topics)
	g.requests = append(g.requests, c)
}
func (g *gauge) MeasureWrite(_ int32, d time.Duration)         { g.writes = append(g.writes, d) }
func (g *gauge) MeasureDirtyInode(_ int32, d time.Duration)    { g.dirty = append(g.dirty, d) }
func (g *gauge) MeasureFsync(_ int32, d time.Duration)         { g.fsyncs = append(g.fsyncs, d) }
func (g *gauge) MeasureWait(_ int32, _ bool, d time.Duration)  { g.waits = append(g.waits, d) }
func (g *gauge) MeasureCommit(m *CommitMeasure)                { g.commits = append(g.commits, *m) }
func (g *gauge) MeasurePause(_ int32, _ bool, d time.Duration) { g.stop = append(g.stop, d) }

// Everything is measured though nobody wants a row or a trace.
func TestMeasures(t *testing.T) {
	g := &gauge{}
	a := New(Options{Clock: &event.Clock{}, Output: nowhere{}, Measures: g,
		Identity: func(int32) Identity { return Identity{Node: 4} }})
	several := aRequest(2, t0+200*ms, 1, 12)
	other := event.RequestPartition{TopicPartition: event.TopicPartition{Topic: "audit", Partition: 0}, Bytes: 30, Records: 1}
	several.Partitions = append(several.Partitions, other, several.Partitions[0])
	refusal := aRefusal(2, t0+210*ms, 7)
	all := []event.Event{
		aRequest(1, t0, 1, 11),
		&event.DirtyInode{Start: t0 + 2*ms, End: t0 + 90*ms, Thread: aThread(5), Device: 8 << 20, FileSystem: "ext4"},
		aWrite(5, t0+ms, t0+100*ms, 10, 11), aResponse(1, t0+101*ms, 10),
		several, refusal,
		&event.Fsync{Start: t0 + 300*ms, End: t0 + 304*ms, Thread: aThread(6)},
		anOperation("short", t0+310*ms, t0+310*ms+50*us),
	}
	all = append(all, aCommit(8, t0+ms, t0+91*ms, 0)...)
	all = append(all, aWait(8, t0+320*ms, t0+325*ms)...)
	q := event.NewQueue(1 << 10)
	for _, e := range all {
		q.Push(event.Packets, e)
	}
	q.Advance(1<<62, a.Handle)
	a.Close()

	want := func(what string, got []time.Duration, d event.Time) {
		t.Helper()
		if len(got) != 1 || got[0] != time.Duration(d) {
			t.Errorf("%s: %v, want one of %v", what, got, time.Duration(d))
		}
	}
	want("write", g.writes, 99*ms)
	want("dirty inode", g.dirty, 88*ms)
	want("fsync", g.fsyncs, 4*ms)
	want("wait", g.waits, 5*ms)
	want("pause", g.stop, 50*us)
	if len(g.commits) != 1 || g.commits[0].All != 90*time.Millisecond || g.commits[0].Flushing != time.Microsecond {
		t.Errorf("commits %+v", g.commits)
	}
	if len(g.requests) != 2 {
		t.Fatalf("%d requests", len(g.requests))
	}
	slow := g.requests[0]
	if slow.Broker != 4 || slow.Latency != 101*time.Millisecond || slow.Cause != spans.CauseCommit || slow.Queue != time.Duration(ms-10*us) {
		t.Errorf("slow %+v", slow)
	}
	if got, want := g.requests[1].Topics, []TopicMeasure{
		{Topic: tp.Topic, Partitions: 2, Bytes: 400, Records: 4, Errors: 1, Error: "REQUEST_TIMED_OUT"}, {Topic: "audit", Partitions: 1, Bytes: 30, Records: 1}}; !slices.Equal(got, want) {
		t.Errorf("topics %+v, want %+v", got, want)
	}
}

// A request that names as many topics as one can is measured in no time.
func TestMeasureManyTopics(t *testing.T) {
	var m RequestMeasure
	partitions := make([]event.RequestPartition, kafka.MaxPartitions)
	start := time.Now()
	for i := range partitions {
		partitions[i].Topic = fmt.Sprintf("topic-%05d", i)
		m.add(&part{}, &partitions[i])
	}
	if took := time.Since(start); len(m.Topics) != len(partitions) || took > time.Second {
		t.Errorf("%d topics in %s", len(m.Topics), took)
	}
}
