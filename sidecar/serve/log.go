package serve

// A log's places come nearly in order, at its end, and go nearly in order, at
// its front: a slice that begins at head does that without being moved for each,
// and without allocating once it has its size.

// keptStorage is how much of an empty log's storage is kept for the next one.
const keptStorage = 64

// put has slot stand for what is in [from, to).
func (l *log) put(from, to int, slot uint32) {
	if to > from {
		l.at[from] = slot
		l.take(from+1, to)
		return
	}
	if len(l.at) == cap(l.at) {
		from -= l.makeRoom()
	}
	l.at = append(l.at, 0)
	copy(l.at[from+1:], l.at[from:])
	l.at[from] = slot
}

// makeRoom moves the slots to the front of their storage, or of a larger one if
// that would not last, and says by how much.
func (l *log) makeRoom() int {
	moved, live := l.head, len(l.at)-l.head
	if l.head > len(l.at)/4 {
		l.at = l.at[:copy(l.at, l.at[l.head:])]
	} else {
		grown := make([]uint32, live, 2*live+1)
		copy(grown, l.at[l.head:])
		l.at = grown
	}
	l.head = 0
	return moved
}

// take leaves out [from, to), by moving the lesser side.
func (l *log) take(from, to int) {
	if from-l.head < len(l.at)-to {
		copy(l.at[l.head+to-from:to], l.at[l.head:from])
		l.head += to - from
		return
	}
	l.at = append(l.at[:from], l.at[to:]...)
}

func (l *log) empty() {
	at := l.at[:0]
	if cap(at) > keptStorage {
		at = nil
	}
	*l = log{at: at}
}
