package brokers

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/spans"
)

// TestQueue holds request.queue to the broker's own request log: its time in the
// queue, from when a network thread had read the request
// (RequestChannel.Request.startTimeNanos) to when a handler took it
// (requestDequeueTimeNanos). Three clients leave the handlers idle in between, so
// that most ends are exact: more than nine of ten were, 84 of 100 at the demo's load
// on a machine with 30 threads for two CPUs, and 63 of 100 on one whose CPUs others
// took away. The fewer, the oftener handlers meet the queue's lock: half are asked
// for.
func TestQueue(t *testing.T) {
	for _, way := range []string{"kernel", "usdt"} {
		t.Run(way, func(t *testing.T) { queueAsLogged(t, way) })
	}
}

func queueAsLogged(t *testing.T, way string) {
	trial.NeedRoot(t)
	s := set(t, scene.Config{RequestLog: true, Topic: topic, Partitions: manyPartitions})
	file := s.Run.Path("run.pcapng")
	ts := s.Watch(t, "tailspan", []string{trial.NoExport}, nil, []*kafka.Broker{s.Broker}, "--record", file, "--parks", way)
	few := clients.RawOptions{Acks: []int16{1}, Partitions: clients.Range{1, 3}}
	produce(t, s, clients.Options{ClientID: "first", Count: 1000, InFlight: 1, Raw: few}) // the JVM is warm, and its handlers are known
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			produce(t, s, clients.Options{ClientID: fmt.Sprint("client-", i), Count: 1000, Rate: 150, InFlight: 1, Raw: few})
		})
	}
	all.Wait()
	time.Sleep(time.Second)
	trial.Stop(t, ts)
	told := tell(t, s.Session, file, s.Broker)
	var exact, inferred, early []time.Duration
	for i := range 3 {
		for _, r := range told[fmt.Sprint("client-", i)] {
			off := r.phase(spans.NameQueue) - r.log.RequestQueue
			if picked := r.beyond(r.Readable); r.taken() && off > picked+r.log.Send+cut { // see timesAreLogged
				t.Errorf("taken %s after the broker says, of %+v: %+v", off-picked, r.RequestRow, r.log)
			}
			if !r.taken() {
				inferred = append(inferred, off)
				continue
			}
			exact, early = append(exact, off), append(early, -off)
		}
	}
	n := len(exact) + len(inferred)
	t.Logf("%d of %d requests have an exact end in the queue", len(exact), n)
	if 2*len(exact) < n {
		t.Error("that is less than half")
	}
	for _, q := range []float64{0, .01, .1, .5, .9, .99, 1} {
		t.Logf("%3.0f%%: request.queue is %s longer than the broker's, exact", 100*q, quantile(exact, q))
		if len(inferred) > 0 {
			t.Logf("%3.0f%%: %s, inferred", 100*q, quantile(inferred, q))
		}
	}
	// From when it was woken a handler needs some microseconds until it reads its
	// clock, and longer where it is put off its CPU in between.
	if late := quantile(early, .95); late > 200*time.Microsecond {
		t.Errorf("one of twenty requests was taken %s later than that, and more", late)
	}
	if got, most := quantile(exact, .5), quantile(inferred, .5); len(inferred) > 100 && got > most {
		t.Errorf("what is exact is %s longer than the broker's time, what is inferred %s", got, most)
	}
}

// taken says whether it is exactly known when a handler took the request.
func (r *told) taken() bool {
	q := r.find(spans.NameQueue)
	return q != nil && q.text(spans.KeyJoin) == "exact"
}

// woken says whether its handler was seen to be woken for it, however sure it is
// when it took the request.
func (r *told) woken() bool {
	q := r.find(spans.NameQueue)
	return q != nil && q.text(spans.KeyParkSource) != ""
}
