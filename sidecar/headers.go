package sidecar

import (
	"fmt"
	"net/netip"

	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// What was read from records is written down as facts, for a recording's
// packets have their records zeroed, and what time allowed to be read is not
// the same twice.

// decoderOptions has the decoder record what it consumes.
func (l *live) decoderOptions() capture.Options {
	o := capture.Options{Nanotime: func() int64 { return int64(now()) }}
	if l.record == nil {
		return o
	}
	o.Record = func(p capture.Packet) { l.record.Packet(p.Unix, p.Data, p.WireLength) }
	o.OnMessageIDs = func(client, broker netip.AddrPort, correlation int32, partition int, ids []string) {
		l.record.Fact(recording.Fact{MessageIDs: &recording.MessageIDs{Client: client, Broker: broker,
			CorrelationID: correlation, Index: partition, IDs: ids}})
	}
	o.OnRecordHeaders = func(client, broker netip.AddrPort, correlation int32, r capture.RecordHeaders) {
		h := &recording.RecordHeaders{Client: client, Broker: broker, CorrelationID: correlation,
			Contexts: traceparents(r.Contexts), Omitted: r.Omitted, Shared: r.Shared, Cut: r.Cut}
		l.record.Fact(recording.Fact{Headers: h})
	}
	return o
}

// maxRecorded bounds the requests, and the partitions with message ids, whose
// facts wait for them.
const maxRecorded = 1 << 16

// requestKey is where a recording's facts about records belong.
type requestKey struct {
	client, broker netip.AddrPort
	correlation    int32
}

type partitionKey struct {
	requestKey
	index int
}

// recorded is what a recording says about records. Each is asked for once.
type recorded struct {
	ids     map[partitionKey][]string
	headers map[requestKey]capture.RecordHeaders
}

// takeRecorded has the decoder ask the recording about records, before its
// first packet.
func (s *Sidecar) takeRecorded() {
	r := &recorded{ids: map[partitionKey][]string{}, headers: map[requestKey]capture.RecordHeaders{}}
	s.recorded = r
	s.newDecoder(capture.Options{MessageIDs: r.messageIDs, RecordHeaders: r.recordHeaders})
	s.decoder.SetListeners(s.listeners())
}

// learn takes a fact; a plain capture has none that count.
func (r *recorded) learn(f recording.Fact, contexts bool) {
	if r == nil {
		return
	}
	if m := f.MessageIDs; m != nil {
		makeRoom(r.ids)
		r.ids[partitionKey{requestKey{m.Client, m.Broker, m.CorrelationID}, m.Index}] = m.IDs
	}
	if h := f.Headers; h != nil {
		makeRoom(r.headers)
		r.headers[requestKey{h.Client, h.Broker, h.CorrelationID}] = headersOf(h, contexts)
	}
}

// makeRoom forgets facts whose requests did not come.
func makeRoom[K comparable, V any](m map[K]V) {
	if len(m) >= maxRecorded {
		clear(m)
	}
}

// headersOf is a fact as the decoder has it; contexts that are none, and more
// than can be, are left out.
func headersOf(h *recording.RecordHeaders, contexts bool) capture.RecordHeaders {
	r := capture.RecordHeaders{Cut: h.Cut}
	if !contexts {
		return r
	}
	r.Omitted = max(h.Omitted, 0)
	r.Contexts = contextsOf(h.Contexts)
	r.Shared = h.Shared
	return r
}

// traceparents are contexts as a fact has them.
func traceparents(all []event.TraceContext) (texts []string) {
	for _, c := range all {
		texts = append(texts, fmt.Sprintf("00-%x-%x-%02x", c.TraceID, c.SpanID, c.Flags))
	}
	return texts
}

func contextsOf(texts []string) (all []event.TraceContext) {
	for _, text := range texts[:min(len(texts), kafka.MaxContexts)] {
		if c, ok := kafka.ParseTraceparent([]byte(text)); ok {
			all = append(all, event.TraceContext(c))
		}
	}
	return all
}

func (r *recorded) messageIDs(client, broker netip.AddrPort, correlation int32, index int) ([]string, bool) {
	k := partitionKey{requestKey{client, broker, correlation}, index}
	ids, ok := r.ids[k]
	delete(r.ids, k)
	return ids, ok
}

func (r *recorded) recordHeaders(client, broker netip.AddrPort, correlation int32) capture.RecordHeaders {
	k := requestKey{client, broker, correlation}
	h := r.headers[k]
	delete(r.headers, k)
	return h
}
