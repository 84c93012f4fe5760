package otlp

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// logEvery is the least time between two lines that say the same thing of a
// collector that changes its mind all the time.
const logEvery = 10 * time.Second

// health turns attempts into log lines: one when the collector goes away or
// starts to refuse, one when it is back, one when the queue overflows; never
// one an attempt.
type health struct {
	log      *slog.Logger
	endpoint string
	limit    int // of the queue, in spans

	state     condition
	shown     atomic.Uint32 // the state, for whoever asks
	since     time.Time     // of the state
	said      bool          // that the state is bad
	lastSaid  time.Time
	dropped   uint64 // traces that a full queue had dropped when the state began
	overflow  bool   // the queue has overflowed and has not been half empty since
	lastDrops uint64
	partial   time.Time // when a partial success was last spoken of
}

type condition uint8

const (
	unknown condition = iota
	fine
	away
	refusing
)

// states are what conditions are called for operators.
var states = [...]string{unknown: "idle", fine: "ok", away: "away", refusing: "refusing"}

// Health is how the sending does: one of the states, whether that is well, and
// the last error where it is not.
type Health struct {
	State  string
	Up     bool
	Detail string
}

// Health may be asked for at any time.
func (e *Exporter) Health() Health {
	c := condition(e.sender.health.shown.Load())
	h := Health{State: states[c], Up: c == unknown || c == fine}
	if !h.Up {
		h.Detail = e.Stats().LastError
	}
	return h
}

// note takes the result of an attempt, and what the queue says after it.
func (h *health) note(r result, s Stats) {
	h.overflowed(s)
	switch r.verdict {
	case accepted:
		h.part(r)
		h.turn(fine, r, s)
	case retry:
		h.turn(away, r, s)
	case refused:
		h.turn(refusing, r, s)
	}
}

func (h *health) turn(to condition, r result, s Stats) {
	from := h.state
	if from == to {
		return
	}
	now := time.Now()
	if to == fine {
		h.back(from, now, s)
	} else {
		h.bad(to, now, r)
	}
	h.shown.Store(uint32(to))
	h.state, h.since, h.dropped = to, now, s.QueueFull.Traces
}

func (h *health) bad(to condition, now time.Time, r result) {
	if now.Sub(h.lastSaid) < logEvery {
		return
	}
	h.said, h.lastSaid = true, now
	if to == away {
		h.log.Warn("collector is away: traces wait in the queue",
			"endpoint", h.endpoint, "error", brief(r.err), "do", advice(r.err))
		return
	}
	h.log.Warn("collector refuses the traces: they are dropped",
		"endpoint", h.endpoint, "error", brief(r.err), "do", advice(r.err))
}

func (h *health) back(from condition, now time.Time, s Stats) {
	switch {
	case from == unknown:
		h.log.Debug("collector takes the traces", "endpoint", h.endpoint)
	case h.said:
		h.log.Info("collector is back", "endpoint", h.endpoint,
			"after", now.Sub(h.since).Round(time.Millisecond), "dropped", s.QueueFull.Traces-h.dropped)
	}
	h.said = false
}

func (h *health) overflowed(s Stats) {
	if s.QueueFull.Traces > h.lastDrops && !h.overflow {
		h.overflow = true
		h.log.Warn("export queue is full: new traces are dropped",
			"endpoint", h.endpoint, "queue_spans", h.limit, "do", "raise --slo, or look why the collector is slow or away")
	}
	if int(s.Queued.Spans) < h.limit/2 {
		h.overflow = false
	}
	h.lastDrops = s.QueueFull.Traces
}

func (h *health) part(r result) {
	if r.rejected == 0 && r.message == "" {
		return
	}
	if now := time.Now(); now.Sub(h.partial) > logEvery {
		h.partial = now
		h.log.Warn("collector took a batch with a remark",
			"endpoint", h.endpoint, "rejected_spans", r.rejected, "message", clip(r.message))
	}
}
