package segment

import (
	"io"

	"github.com/tailspan/tailspan/sidecar/kafka"
)

// maxRecords bounds the bytes of one batch's records that are read for their
// headers: brokers accept 1 MiB by default (message.max.bytes).
const maxRecords = 16 << 20

// Headers hands over what the headers of a batch's records say that r wants:
// the message id, the trace context. It reads nothing else of them, and no more
// than the budget allows: kafka.ErrBudget, kafka.ErrMalformed; what had been
// read before stands. Records are counted from 0 within the batch; the cleaner
// leaves gaps between their offsets.
//
// The checksum is not looked at: call Check first where it matters.
func (f *File) Headers(b Batch, r *kafka.HeaderReader, budget *kafka.Budget, to kafka.RecordHandler) error {
	if !r.Wanted() || b.Records == 0 {
		return nil
	}
	n := min(int64(b.Length)-headerSize, maxRecords)
	if int64(cap(f.records)) < n {
		f.records = make([]byte, n) // the batch lies within the file
	}
	data := f.records[:n]
	if got, err := f.r.ReadAt(data, b.Position+headerSize); got < len(data) {
		if err == io.EOF {
			err = ErrCut
		}
		return f.at(b.Position, err)
	}
	if err := r.Read(budget, b.Attributes, b.Records, data, to); err != nil {
		return f.at(b.Position, err)
	}
	return nil
}
