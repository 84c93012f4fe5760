package sidecar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/sidecar/segment"
)

// Verify replays a recording through the pipeline and holds every joined row
// to the log dirs of the configuration, row by row as they come. It prints
// what is wrong, and the counts. ErrNothing is wrapped where there was nothing
// to verify.
func (s *Sidecar) Verify(ctx context.Context, path string) (report.Verification, error) {
	v := s.out.verifier
	defer v.logs.Close()
	v.node = s.node
	s.topics.OnLearn(v.learn)
	err := s.Replay(ctx, path)
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("verify %s: stopped before its end: %w", path, ctx.Err())
	}
	v.found.Requests = s.assembler.Stats().Requests
	if err == nil || v.found.Requests > 0 { // what there was of it
		err = errors.Join(err, v.print.Summary(&v.found))
	}
	switch {
	case err != nil:
		return v.found, err
	case v.found.Requests == 0:
		return v.found, fmt.Errorf("%w: %s has no produce request", ErrNothing, path)
	case v.found.Joined == 0:
		return v.found, fmt.Errorf("%w: no request of %s is joined with a write: was it recorded with probes?", ErrNothing, path)
	case v.found.Verified == 0 && v.found.Wrong == 0:
		s.log.Warn("nothing could be verified", "reasons", v.found.Reasons, "do", "see that --log-dir names the log dirs of the recorded broker")
	}
	return v.found, nil
}

// node is the id of a broker of the recording; -1: unknown.
func (s *Sidecar) node(pid int32) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.brokers[pid]; k != nil {
		return k.Node
	}
	return -1
}

// verifier holds joined rows to log dirs. What it keeps does not grow with the
// recording, but for a topic id a topic.
type verifier struct {
	logs  *segment.Logs
	print *report.Verify
	node  func(pid int32) int32
	found report.Verification

	mu  sync.Mutex // ids are learned where the recording is decoded
	ids map[topicOf][16]byte
}

type topicOf struct {
	pid  int32
	name string
}

func newVerifier(dirs []string, w io.Writer, format string) (*verifier, error) {
	logs, err := segment.OpenLogs(dirs...)
	if err != nil {
		return nil, err
	}
	return &verifier{logs: logs, print: report.NewVerify(w, format), ids: map[topicOf][16]byte{},
		found: report.Verification{Reasons: map[string]uint64{}}}, nil
}

// learn keeps the first id of a topic: one that was made again while the
// recording ran has another one by now.
func (v *verifier) learn(pid int32, id [16]byte, name string) {
	k := topicOf{pid, name}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.ids[k]; !ok {
		v.ids[k] = id
	}
}

// joined proves one row.
func (v *verifier) joined(r *assemble.JoinedRow) error {
	v.found.Joined++
	if r.Join == "exact" {
		v.found.Exact++
	} else {
		v.found.Inferred++
	}
	c := v.claim(r)
	verdict := v.logs.Prove(&c)
	switch verdict.Outcome {
	case segment.Verified:
		v.found.Verified++
	case segment.Rewritten:
		v.found.Verified++
		v.found.Rewritten++
	case segment.Unverifiable:
		v.found.Unverifiable++
		v.found.Reasons[verdict.Reason]++
	case segment.Wrong:
		v.found.Wrong++
		return v.print.Wrong(wrongRow(r, &c, &verdict))
	}
	return nil
}

func (v *verifier) claim(r *assemble.JoinedRow) segment.Claim {
	b, w := r.Batch, r.Write
	c := segment.Claim{
		Topic: b.Topic, Partition: b.Partition,
		File: w.File, Offset: w.Offset, Bytes: w.Bytes, Response: r.BaseOffset, TopicID: b.TopicID, Node: v.node(w.PID),
		Request: segment.Header{Bytes: b.Bytes, CRC: b.CRC, Records: b.Records,
			ProducerID: b.ProducerID, ProducerEpoch: b.ProducerEpoch, BaseSequence: b.BaseSequence},
		Written: segment.Header{BaseOffset: w.BaseOffset, Bytes: w.BatchBytes, CRC: w.CRC, LeaderEpoch: w.LeaderEpoch},
	}
	if c.TopicID == ([16]byte{}) { // before Produce v13 requests have names only
		c.TopicID = v.topicID(w.PID, b.Topic)
	}
	return c
}

// topicID is zero where none is known.
func (v *verifier) topicID(pid int32, name string) [16]byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if id, ok := v.ids[topicOf{pid, name}]; ok {
		return id
	}
	return v.ids[topicOf{0, name}]
}

func wrongRow(r *assemble.JoinedRow, c *segment.Claim, v *segment.Verdict) *report.WrongRow {
	w := &c.Written
	row := &report.WrongRow{
		File: r.File, Offset: r.Offset, Bytes: r.Bytes, Topic: r.Topic, Partition: r.Partition, BaseOffset: r.BaseOffset,
		Client: r.Client, CorrelationID: r.CorrelationID, Join: r.Join, TraceID: r.TraceID, Why: v.Why,
		Expected: report.BatchRow{BaseOffset: w.BaseOffset, Bytes: w.Bytes, CRC: w.CRC, LeaderEpoch: w.LeaderEpoch},
	}
	if b := v.Found; b != nil {
		row.Found = &report.BatchRow{BaseOffset: b.BaseOffset, Bytes: b.Length, CRC: b.CRC, LeaderEpoch: b.LeaderEpoch}
	}
	return row
}
