package bpf

import "time"

// settle is how long after a program took its time stamp its record may still
// not be in the ring: the uprobe programs can be preempted in between, and a
// virtual CPU can be stopped anywhere. It is a margin, not a bound.
const settle = 5 * time.Millisecond

// Read hands every record that is in the ring to handle, after waiting up to
// wait if there is none. raw lies in the ring itself and is valid during the
// call only; handle may not call Read or Close.
//
// Records do not wake Read one by one, but when an eighth of the ring is full:
// wait is also how long a record may lie there. 10 to 20 ms is good.
//
// drained is a watermark, CLOCK_MONOTONIC: all records up to then have been
// handed out, now or before. After Close the error is [os.ErrClosed].
func (p *Probes) Read(wait time.Duration, handle func(raw []byte)) (drained int64, err error) {
	return p.ring.read(wait, handle)
}
