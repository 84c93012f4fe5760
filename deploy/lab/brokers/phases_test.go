package brokers

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/spans"
)

// cut is what two of the log's times, each cut to a microsecond, may miss.
const cut = 2 * time.Microsecond

// Clients of TestPhases. Two send the same load at the same time, one of them
// pipelined: what the machine does to one it does to the other.
const (
	alone     = "alone"
	pipelined = "pipelined"
	large     = "large" // and pipelined: more than fits into a socket
)

// wideRequests take a broker milliseconds: a write for each of their partitions.
var wideRequests = clients.RawOptions{Acks: []int16{1, -1}, Partitions: clients.Range{1, 60}}

const manyPartitions = 60

// TestPhases holds the phases to the broker's own request log.
//
// The log counts from when a network thread had read the request, to when it
// took up the response and sent it (RequestChannel: startTimeNanos,
// responseDequeueTimeNanos; Processor.processCompletedReceives, -Sends). What
// lies between the packets and these instants is the network threads' alone,
// which write the log too; it is bounded by the log itself where that can be,
// and by the control's where not.
func TestPhases(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, scene.Config{RequestLog: true, Topic: topic, Partitions: manyPartitions})
	file := s.Run.Path("run.pcapng")
	ts := record(t, s.Session, file, s.Broker)
	produce(t, s, clients.Options{ClientID: "first", Count: 200, InFlight: 1, Raw: wideRequests}) // nothing of it is missed, and the JVM is warm
	var both sync.WaitGroup
	both.Go(func() { produce(t, s, clients.Options{ClientID: alone, Count: 300, InFlight: 1, Raw: wideRequests}) })
	both.Go(func() {
		produce(t, s, clients.Options{ClientID: pipelined, Count: 600, InFlight: 5, Raw: wideRequests})
	})
	both.Wait()
	produce(t, s, clients.Options{ClientID: large, Count: 30, InFlight: 5, ValueBytes: clients.Range{200_000, 400_000},
		Raw: clients.RawOptions{Acks: []int16{1}}})
	for _, version := range throttledVersions {
		produce(t, s, clients.Options{ClientID: fmt.Sprint("quota-", version), Count: 80, Raw: clients.RawOptions{
			Shapes: []clients.Shape{clients.Throttled}, Versions: []int16{version}}})
	}
	time.Sleep(time.Second)
	trial.Stop(t, ts)
	all := tell(t, s.Session, file, s.Broker)
	t.Run("pipelined", func(t *testing.T) { readWhenReadable(t, all[alone], all[pipelined]) })
	t.Run("times", func(t *testing.T) { timesAreLogged(t, all[alone], all[pipelined], all[large]) })
	t.Run("throttled", func(t *testing.T) { throttledAsLogged(t, all[alone], all) })
}

// produce has a client of ours send.
func produce(t *testing.T, s *stage, o clients.Options) {
	t.Helper()
	o.Client, o.Address, o.Dir, o.Seed = clients.Raw, s.Broker.Address(), s.Dir, 1
	o.Topics = []clients.Topic{{Name: topic, Partitions: manyPartitions}}
	if err := clients.Record(t.Context(), &o); err != nil {
		t.Error(err)
	}
}

// readWhenReadable: from when Tailspan says that the broker could read a
// request, it took as long as the broker says, but for the network threads,
// who need as long for pipelined requests as for others: at each quantile of
// one no more than at the next one of the other. From the last byte's arrival
// it took longer than that.
func readWhenReadable(t *testing.T, alone, pipelined []*told) {
	var control, readable, arrived []time.Duration
	for _, r := range alone {
		control = append(control, r.beyond(r.Readable))
		if r.phase(spans.NameSocket) > 0 {
			t.Errorf("a wait in the socket of a request that came alone: %+v", r.RequestRow)
		}
	}
	for _, r := range pipelined {
		readable, arrived = append(readable, r.beyond(r.Readable)), append(arrived, r.beyond(r.LastByte))
	}
	for _, part := range [][2]float64{{.5, .9}, {.9, .99}} {
		got, most := quantile(readable, part[0]), quantile(control, part[1])
		t.Logf("beyond the log's times, %.0f%% of %d pipelined: %s from readable, %s from arrival; %.0f%% of %d alone: %s",
			100*part[0], len(readable), got, quantile(arrived, part[0]), 100*part[1], len(control), most)
		if got > most {
			t.Error("pipelined requests were read later than that")
		}
	}
	if least, most := quantile(arrived, .25), quantile(control, .9); least < most {
		t.Errorf("a quarter of pipelined requests took %s or less beyond the log's times, from arrival; 90%% alone %s", least, most)
	}
	if least := min(quantile(readable, 0), quantile(control, 0)); least < -cut {
		t.Errorf("a request took %s less than the broker says", -least)
	}
}

// timesAreLogged: each phase lies between what the log's times allow. The
// handler is first seen to stir within its local time, and writes in it; where it
// was seen to take the request, that was just before its local time began. The
// latency ends with the first byte out, the log's with the send: by as much what
// lies beyond the log may seem less.
func timesAreLogged(t *testing.T, loads ...[]*told) {
	n := 0
	for _, rs := range loads {
		for _, r := range rs {
			l, picked := &r.log, r.beyond(r.Readable)
			if *r.Partitions[0].Error != 0 {
				t.Errorf("refused: %+v", r.RequestRow)
				continue
			}
			n++
			switch {
			case r.taken():
				within(t, r, spans.NameQueue, 0, l.RequestQueue+picked+l.Send)
				within(t, r, spans.NameAppend, 0, l.RequestQueue+l.Local+picked+l.Send-r.phase(spans.NameQueue))
			case r.woken(): // and met the queue's lock, or so it seems
				within(t, r, spans.NameQueue, 0, l.RequestQueue+l.Local+picked+l.Send)
				within(t, r, spans.NameAppend, 0, l.RequestQueue+l.Local+picked+l.Send-r.phase(spans.NameQueue))
			default:
				within(t, r, spans.NameQueue, l.RequestQueue, l.RequestQueue+l.Local+picked)
				within(t, r, spans.NameAppend, 0, l.Local)
			}
			within(t, r, spans.NameSend, l.ResponseQueue, l.Local+l.Remote+l.ResponseQueue+l.Send)
			if r.phase(spans.NameReplication) > 0 {
				t.Errorf("a wait for followers that there are not: %+v", r.phases)
			}
		}
	}
	t.Logf("%d requests lie within their logged times", n)
}

// within checks the sum of a request's phases with a name.
func within(t *testing.T, r *told, name string, least, most time.Duration) {
	t.Helper()
	if got := r.phase(name); got < least-cut || got > most+cut {
		t.Errorf("%s of %s (woken %t, taken %t), by the log %s to %s, of %+v: %+v", name, got, r.woken(), r.taken(), least, most, r.RequestRow, r.log)
	}
}
