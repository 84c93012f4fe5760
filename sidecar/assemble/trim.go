package assemble

import "github.com/tailspan/tailspan/sidecar/event"

// trimmed is what was left out of a finished request.
type trimmed struct{ records, bytes int64 }

// trim lets go of the partitions that no trace would show: those beyond
// maxListed of which nothing was written. A hostile request names thousands,
// and finished requests are remembered for a while.
func (r *request) trim() {
	if len(r.parts) <= maxListed {
		return
	}
	asked := r.ev.Partitions
	kept := func(i int) bool { return i < maxListed || r.parts[i].write != nil }
	n := 0
	for i := range r.parts {
		if kept(i) {
			n++
		}
	}
	if n == len(r.parts) {
		return
	}
	parts, partitions := make([]part, 0, n), make([]event.RequestPartition, 0, n)
	for i := range r.parts {
		if !kept(i) {
			r.cut.records += int64(asked[i].Records)
			r.cut.bytes += int64(asked[i].Bytes)
			continue
		}
		p := r.parts[i]
		p.index = int32(len(parts))
		parts, partitions = append(parts, p), append(partitions, asked[i])
		if p.write != nil {
			p.write.part = &parts[len(parts)-1]
		}
	}
	r.parts, r.ev.Partitions = parts, partitions
}
