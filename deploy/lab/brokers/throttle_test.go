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
// where a request alone needs one.
func throttledAsLogged(t *testing.T, alone []*told, all map[string][]*told) {
	var late, stamped, control []time.Duration
	for _, r := range alone {
		control = append(control, r.beyond(r.Readable))
	}
	for _, version := range throttledVersions {
		rs, n := all[fmt.Sprintf("quota-%d-throttled", version)], len(late)
		for i, r := range rs {
			throttle := r.find(spans.NameThrottle)
			if throttled := i > 0 && rs[i-1].log.Throttle > 0; throttled != (throttle != nil) {
				t.Errorf("throttled by the response before: %t, and not so in %+v: %+v", throttled, r.RequestRow, r.phases)
			} else if throttled {
				throttledFor(t, rs[i-1], r, throttle)
				late = append(late, r.beyond(throttle.End))
				stamped = append(stamped, r.stamped().Sub(time.Unix(0, throttle.End)))
			}
		}
		if len(late) == n {
			t.Errorf("version %d: no request came after one that throttled", version)
		}
	}
	if len(late) == 0 {
		return
	}
	// The log's stamps are cut to a millisecond, and written after a line is
	// made, which now and then takes more: of them half is enough.
	if got, most := quantile(stamped, .5), 2*quantile(control, .9)+time.Millisecond; got > most {
		t.Errorf("by the log's stamps half were taken up later than %s after the throttle's end, at most %s", got, most)
	}
	for _, part := range [][2]float64{{.5, .9}, {.9, .99}} {
		got, most := quantile(late, part[0]), 2*quantile(control, part[1])
		t.Logf("%.0f%% of %d taken up within %s of the throttle's end (%s by the log's stamps); twice %.0f%% of %d alone: %s",
			100*part[0], len(late), got, quantile(stamped, part[0]), 100*part[1], len(control), most)
		if got > most {
			t.Error("throttled requests were taken up later than that")
		}
	}
}

// stamped is when the broker had read a request by its log's own clock.
func (r *told) stamped() time.Time { return r.log.Logged.Add(-r.log.Total) }

// throttledFor: the throttle's end is no later than the response said, and no
// later than the request was taken up, but for what counts above.
func throttledFor(t *testing.T, before, r *told, throttle *span) {
	t.Helper()
	if over := *before.End + int64(before.log.Throttle+recalibrated); throttle.End > over {
		t.Errorf("throttled for longer than the response said: %+v", r.RequestRow)
	}
	early := before.log.Local + before.log.ResponseQueue + before.log.Send
	late, stamped := r.beyond(throttle.End), r.stamped().Sub(time.Unix(0, throttle.End))
	if late < -early-cut || stamped < -early-time.Millisecond {
		t.Errorf("throttled until %s (by the log's stamps %s) after it was taken up, at most %s, of %+v: %+v", -late, -stamped, early, r.RequestRow, r.phases)
	}
}
