package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/tailspan/tailspan/sidecar/topics"
)

// Claim is what a joined row says of one batch: a request brought it, a write
// put it at a place of a file, a response told its base offset.
type Claim struct {
	Topic     string // of the request's partition; "": only its id is known
	Partition int32

	File   string // topic-partition/segment.log
	Offset int64  // in the file
	Bytes  int64  // what the write returned; negative: -errno

	Request Header // of the batch on the wire
	Written Header // of the batch as the kernel was handed it
	// Response is the base offset of the response, nil without one.
	Response *int64

	TopicID [16]byte // of the request or else the topic's only one; zero: unknown
	Node    int32    // the broker's id; -1: unknown
}

// Header is what a claim knows of a batch's header.
type Header struct {
	BaseOffset    int64 // of Written
	Bytes         int32
	CRC           uint32
	LeaderEpoch   int32 // of Written
	Records       int32 // of Request, as what follows
	ProducerID    int64
	ProducerEpoch int16
	BaseSequence  int32
}

// Outcome of a claim.
type Outcome uint8

const (
	// Unverifiable: the bytes are no longer there; Reason says why.
	Unverifiable Outcome = iota
	// Verified: the very bytes of the request stand where they were written.
	Verified
	// Rewritten: what the broker made of the request's batch stands there.
	Rewritten
	// Wrong: something else stands there.
	Wrong
)

// Reasons why a claim cannot be verified.
const (
	ReasonDeleted      = "segment deleted"
	ReasonCompacted    = "compacted"
	ReasonTruncated    = "truncated"
	ReasonRecreated    = "topic recreated"
	ReasonTopicDeleted = "topic deleted"
	ReasonMoved        = "offset no longer there"
	ReasonElsewhere    = "not in the log dirs given"
	ReasonWriteFailed  = "write failed"
	ReasonUnreadable   = "file cannot be read"
)

// Verdict is the outcome of a claim.
type Verdict struct {
	Outcome Outcome
	Reason  string // of Unverifiable, one of the constants
	Path    string // the file that was looked at; "": none
	Found   *Batch // of Wrong: what stands at the place; nil: no batch
	Why     string // of Wrong: what differs
}

// Prove holds a claim to the bytes on disk. Where several log dirs have the
// partition, those of the claim's broker count, else the first that verifies.
func (l *Logs) Prove(c *Claim) Verdict {
	partition, ok := partitionOf(c.File)
	switch {
	case !ok:
		return Verdict{Outcome: Wrong, Why: "the file is no partition's segment"}
	case !c.isFor(partition):
		return Verdict{Outcome: Wrong, Why: fmt.Sprintf("the request's batch is for %s-%d", c.Topic, c.Partition)}
	case c.Bytes <= 0:
		return Verdict{Outcome: Unverifiable, Reason: ReasonWriteFailed}
	}
	worst := Verdict{Reason: ReasonElsewhere}
	for _, d := range l.Dirs {
		if c.Node >= 0 && d.Node >= 0 && d.Node != c.Node {
			continue
		}
		v := l.proveIn(d, c, partition)
		if v.Outcome == Verified || v.Outcome == Rewritten {
			return v
		}
		if worst.Reason == ReasonElsewhere || v.Outcome == Wrong {
			worst = v
		}
	}
	return worst
}

func (l *Logs) proveIn(d *Dir, c *Claim, partition string) Verdict {
	f, err := l.Segment(d, c.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Verdict{Reason: l.missing(d, c, partition)}
	case err != nil:
		return Verdict{Reason: ReasonUnreadable, Why: err.Error()}
	}
	v := f.prove(c)
	v.Path = f.path
	if v.Outcome != Wrong {
		return v
	}
	if why := l.excuse(d, f, c, partition, v.Found); why != "" {
		return Verdict{Reason: why, Path: v.Path, Found: v.Found}
	}
	if path, b, err := l.Find(d, partition, c.Written.BaseOffset); err == nil && (path != v.Path || b.Position != c.Offset) {
		v.Why += fmt.Sprintf("; offset %d is in the batch at %d of %s", c.Written.BaseOffset, b.Position, filepath.Base(path))
	}
	return v
}

// prove looks at the place alone.
func (f *File) prove(c *Claim) Verdict {
	b, err := f.Batch(c.Offset)
	if err != nil {
		return Verdict{Outcome: Wrong, Why: reason(err)}
	}
	v := Verdict{Outcome: Verified}
	w, r := &c.Written, &c.Request
	switch {
	case !w.is(&b):
		v.Why = "another batch than was written"
	case b.LeaderEpoch != w.LeaderEpoch:
		v.Why = fmt.Sprintf("leader epoch %d instead of %d", b.LeaderEpoch, w.LeaderEpoch)
	case c.Response != nil && b.BaseOffset != *c.Response:
		v.Why = fmt.Sprintf("base offset %d, but the response says %d", b.BaseOffset, *c.Response)
	case c.Bytes > int64(b.Length):
		v.Why = f.rest(c, &b)
	}
	if v.Why == "" {
		v.Why = reason(f.Check(b))
	}
	if v.Why == "" && (b.Length != r.Bytes || b.CRC != r.CRC) {
		v.Outcome = Rewritten
		if b.Records != r.Records || b.ProducerID != r.ProducerID || b.ProducerEpoch != r.ProducerEpoch || b.BaseSequence != r.BaseSequence {
			v.Why = "neither the request's batch nor what the broker could have made of it"
		}
	}
	if v.Why != "" {
		v.Outcome, v.Found = Wrong, &b
	}
	return v
}

// isFor says that a directory is that of the request's partition.
func (c *Claim) isFor(dir string) bool {
	topic, partition, _ := topics.ParsePartition(dir)
	return partition == c.Partition && (topic == c.Topic || c.Topic == "")
}

// is says that a batch is the one that was written, as far as a header tells.
func (w *Header) is(b *Batch) bool {
	return b.BaseOffset == w.BaseOffset && b.Length == w.Bytes && b.CRC == w.CRC
}

// rest looks at what one write put behind its first batch: whole batches, which
// are somebody else's. A write that was cut short is followed by another.
func (f *File) rest(c *Claim, first *Batch) string {
	end, last := c.Offset+c.Bytes, first.End()
	if err := f.Each(last, end, func(b Batch) bool { last = b.End(); return true }); err != nil {
		return reason(err)
	}
	if last != end {
		return fmt.Sprintf("the write's %d bytes end within a batch", c.Bytes)
	}
	return ""
}

// reason is what an error of this package wraps, without the place.
func reason(err error) string {
	var old *MagicError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &old):
		return old.Error()
	}
	for _, known := range []error{ErrEnd, ErrCut, ErrNotBatch, ErrChecksum} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return err.Error()
}
