package assemble

// unknownHoles is no count of holes.
const unknownHoles = -1

// neverAppended counts the records of an acks=0 request that the broker refused,
// or never got to because it had closed the connection over an earlier error:
// nobody is told of these. It counts none where it is not sure: where no writes of
// the broker are seen, or one of this log was missed meanwhile, or is there that
// the broker may have made of the batch.
func (r *request) neverAppended() (records int64) {
	if r.ev.Acks != 0 || !r.ended || len(r.b.recent.buf) == 0 {
		return 0
	}
	for i := range r.parts {
		p := &r.parts[i]
		if p.write != nil {
			continue
		}
		if p.log.holes != p.holes || p.unclaimed(p.mayBecome) != nil {
			return 0
		}
		records += int64(p.asked().Records)
	}
	return records
}
