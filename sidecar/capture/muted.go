package capture

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// previous is the last response of a connection that was seen whole. The
// broker mutes a connection from when it has read a request until the response
// has been sent and, where it throttles, until the throttle time has passed
// too, which counts from when the response was made
// (kafka.network.SocketServer, ThrottledChannel; since Kafka 2.0 the response
// does not wait for it). Of several quotas the longest time counts, and the
// response has that (KafkaApis.handleProduceRequest). Nothing tells of a
// throttled request without acks, and what other APIs are throttled by is not
// read.
type previous struct {
	first, last int64 // stamps of its first and last byte; 0: none, or not seen
	throttle    time.Duration
}

// sent notes the response that has just ended, unless bytes of it were missed.
func (o *responseHalf) sent(at int64, throttleMS int32) {
	o.previous = previous{}
	if !o.torn {
		o.previous = previous{o.stream.First, at, time.Duration(max(throttleMS, 0)) * time.Millisecond}
	}
	o.torn = false
}

// missed says that bytes between two known ones of the half were missed, with
// whatever responses ended among them.
func (o *responseHalf) missed() { o.previous, o.torn = previous{}, o.stream.Inside() }

// muted fills in until when the connection was muted before this response's
// request could be read.
func (d *Decoder) muted(p *previous, e *event.Response) {
	if p.last == 0 {
		return
	}
	e.Before = d.o.Clock.Mono(p.last)
	if until := p.first + int64(p.throttle); until > p.last {
		e.Throttled = d.o.Clock.Mono(until)
	}
}
