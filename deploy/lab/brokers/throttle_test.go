package brokers

import (
	"fmt"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// throttledVersions of Produce: brokers throttle them all alike since Kafka 2.0,
// by muting the connection; clients wait too from version 6 on (KIP-219), but
// not ours.
var throttledVersions = []int16{5, 6, 13}

// throttledAsLogged: the request after one whose response throttles is taken up
// when Tailspan says that the throttle time was over.
//
// The handler throttles the connection before it hands over the response
// (KafkaApis.handleProduceRequest, ThrottledChannel), Tailspan counts from the
// response's first byte: later by no more than what the log says of the
// handler and of sending. The request is taken up later than that by the time
// that two threads need, that of the throttled channels and a network thread,
// where a request alone needs one. The log's clock is cut to a millisecond.
func throttledAsLogged(t *testing.T, alone []*told, all map[string][]*told) {
	var late, control []time.Duration
	for _, r := range alone {
		control = append(control, r.beyond(r.Readable))
	}
	for _, version := range throttledVersions {
		rs, n := all[fmt.Sprintf("quota-%d-throttled", version)], len(late)
		for i, r := range rs {
			if i == 0 || rs[i-1].log.Throttle == 0 {
				if r.phase(spans.NameThrottle) > 0 {
					t.Errorf("throttled, and the response before does not say so: %+v", r.RequestRow)
				}
				continue
			}
			late = append(late, takenUp(t, rs[i-1], r))
		}
		if len(late) == n {
			t.Errorf("version %d: no request came after one that throttled", version)
		}
	}
	if len(late) == 0 {
		return
	}
	for _, part := range [][2]float64{{.5, .9}, {.9, .99}} {
		got, most := quantile(late, part[0]), 2*quantile(control, part[1])+time.Millisecond
		t.Logf("%.0f%% of %d taken up within %s of the throttle's end; twice %.0f%% of %d alone: %s",
			100*part[0], len(late), got, 100*part[1], len(control), most)
		if got > most {
			t.Error("throttled requests were taken up later than that")
		}
	}
}

// takenUp is how long after the throttle's end the broker took a request up.
func takenUp(t *testing.T, before, r *told) time.Duration {
	t.Helper()
	throttle := r.find(spans.NameThrottle)
	if throttle == nil {
		t.Errorf("not throttled, as the response before says: %+v", r.RequestRow)
		return 0
	}
	started := r.log.Logged.Add(-r.log.Total).UnixNano() // by a clock cut to a millisecond, and later by what logging took
	late := time.Duration(started - throttle.End)
	if early := before.log.Local + before.log.ResponseQueue + before.log.Send + time.Millisecond; late < -early {
		t.Errorf("throttled for %s, until %s after it was taken up, of %+v: %+v", before.log.Throttle, -late, r.RequestRow, r.phases)
	}
	if over := *before.End + int64(before.log.Throttle+recalibrated); throttle.End > over {
		t.Errorf("throttled for longer than the response said: %+v", r.RequestRow)
	}
	return late
}
