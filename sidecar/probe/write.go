package probe

import (
	"encoding/binary"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
)

// write is nil for a write that is not to a partition's own log.
func (c *Converter) write(r *bpf.Record) *event.Write {
	w := &r.Write
	tp, ok := c.names.partition(w.Dir)
	if !ok {
		c.stats.NotALog++
		return nil
	}
	e := &event.Write{
		Start: event.Time(w.Start), End: event.Time(r.Time), Thread: c.thread(r, w.Comm),
		TopicPartition: tp, File: c.names.file(w.Dir, w.Name),
		Device: event.Device(w.Device), Inode: w.Inode, Offset: w.Offset, Bytes: w.Result,
	}
	h, ok := kafka.ParseBatch(w.Head)
	if !ok {
		c.stats.NoBatch++
		return e
	}
	e.Batch, e.BaseOffset, e.BatchBytes = true, h.BaseOffset, h.Length
	e.CRC, e.Attributes, e.Records, e.ProducerID = h.CRC, h.Attributes, h.Records, h.ProducerID
	e.LeaderEpoch = int32(binary.BigEndian.Uint32(w.Head[12:]))
	return e
}
