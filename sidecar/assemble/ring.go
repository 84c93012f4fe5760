package assemble

// ring keeps the latest of what was added to it. It grows up to its limit,
// which is the same in all calls.
type ring[T any] struct {
	items []T
	next  int // the oldest, once it is full
}

func (r *ring[T]) add(x T, limit int) {
	if len(r.items) < limit {
		r.items = append(r.items, x)
		return
	}
	r.items[r.next] = x
	r.next = (r.next + 1) % limit
}

// latest goes through all, the latest first.
func (r *ring[T]) latest(yield func(T) bool) {
	n := len(r.items)
	for i := range n {
		if !yield(r.items[(r.next+n-1-i)%n]) {
			return
		}
	}
}
