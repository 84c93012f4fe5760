package sidecar

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/metrics"
	"github.com/tailspan/tailspan/sidecar/recording"
	"github.com/tailspan/tailspan/sidecar/topics"
)

// flushTime is how long what is pending may take at the end: with the last read
// of the sources before it, and the last push of metrics, the end of the server
// and the detaching of the probes after it, 5 s. Only a queue directory whose
// disk hangs may take longer.
const flushTime = 2500 * time.Millisecond

// kafkaPort is taken for the broker's where a plain capture names none.
const kafkaPort = 9092

// reorder is how far packets of a plain capture may be out of order.
const reorder = event.Time(time.Second)

// Replay plays a recording, or a plain capture, through the pipeline.
func (s *Sidecar) Replay(ctx context.Context, path string) error {
	f, err := s.openFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.config.Waits != "" {
		if s.waits, err = s.readWaits(ctx, path); err != nil {
			return err
		}
	}
	err = s.replay(ctx, f)
	switch {
	case errors.Is(err, errReaderGone), errors.Is(err, context.Canceled):
		return nil
	case err != nil:
		return fmt.Errorf("replay %s: %w", path, err)
	}
	return nil
}

func (s *Sidecar) replay(ctx context.Context, f *capture.File) error {
	s.newDecoder(capture.Options{})
	s.decoder.SetListeners(s.listeners())
	p := &player{s: s, ctx: ctx, batches: s.assembleBatches()}
	s.push = p.batches.push
	if s.waits != nil {
		s.push = s.waits.watch(s.push)
	}
	unserve, err := s.serve(sources{s.lost, func() []metrics.Probe { return nil }})
	if err != nil {
		return err
	}
	defer unserve()
	err = recording.Play(f, p)
	if !p.recording {
		s.decoder.Tick(p.last + 4*reorder)
	}
	if e := p.batches.end(); err == nil {
		err = e
	}
	if !p.recording { // a recording ends at its last mark, as the run did
		s.rest()
	}
	s.ended()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	if e := s.out.close(end); err == nil {
		err = e
	}
	s.account(s.lost())
	return err
}

// player feeds the blocks of a file to the stages, as Run's goroutines do.
type player struct {
	s         *Sidecar
	ctx       context.Context
	batches   *batches
	recording bool // it has facts
	packets   uint64
	last      event.Time
}

// advanceEvery is how many packets of a plain capture go by before events are
// handed on.
const advanceEvery = 256

func (p *player) Packet(k capture.Packet) error {
	s := p.s
	if !p.recording && p.packets == 0 && s.config.Port == 0 {
		s.log.Info("no port given: taking the usual one for the broker's", "port", kafkaPort, "flag", "--port")
		s.decoder.SetListeners([]capture.Listener{{Addr: netip.AddrPortFrom(netip.IPv6Unspecified(), kafkaPort)}})
	}
	p.packets++
	s.decoder.Packet(k)
	if p.recording {
		return p.ctx.Err()
	}
	p.last = max(p.last, s.clock.Mono(k.Unix))
	if p.packets%advanceEvery == 0 {
		return p.advance(p.last - reorder)
	}
	return nil
}

func (p *player) Probe(raw []byte) error {
	p.s.probes.Record(raw)
	return nil
}

func (p *player) Fact(f recording.Fact) error {
	s := p.s
	if !p.recording && p.packets == 0 {
		s.takeRecorded()
	}
	p.recording = true
	switch {
	case f.Clock != nil:
		p.batches.settle()
		s.clock.Calibrate(*f.Clock)
	case f.Broker != nil:
		p.batches.settle()
		s.adopt(*f.Broker, nil)
	case f.Gone != nil:
		s.lose(*f.Gone)
	case f.Watched != nil:
		s.watch(*f.Watched)
	case f.Topic != nil:
		if id, err := topics.ParseID(f.Topic.ID); err == nil {
			s.topics.Learn(f.Topic.PID, id, f.Topic.Name)
		}
	case f.MessageIDs != nil, f.Headers != nil:
		s.recorded.learn(f, s.contexts())
	case f.Append != nil:
		s.push(event.Probes, appendHeadersOf(f.Append, s.contexts()))
	case f.Symbols != nil:
		for number, name := range f.Symbols {
			s.symbols.Learn(number, name)
		}
	case f.Threads != nil:
		s.probes.Threads(f.Threads.PID, f.Threads.Names)
	case f.Tick != nil:
		s.decoder.Tick(f.Tick.Time)
	case f.Progress != nil:
		return p.advance(f.Progress.Time)
	case f.Losses != nil:
		s.log.Info("the recording says what was lost while it was made", "losses", f.Losses)
	}
	return nil
}

func (p *player) advance(mark event.Time) error {
	if p.s.waits != nil {
		p.s.waits.until(mark, p.s.clock, p.s.push)
	}
	if err := p.batches.advance(mark); err != nil {
		return err
	}
	return p.ctx.Err()
}
