package event

// Heap keeps the least of its items on top. It does not allocate beyond the
// growth of its slice, and is not safe for concurrent use.
type Heap[T interface{ Less(T) bool }] struct{ items []T }

// Len is the number of items.
func (h *Heap[T]) Len() int { return len(h.items) }

// Top is the least item; there must be one.
func (h *Heap[T]) Top() T { return h.items[0] }

// Push adds an item.
func (h *Heap[T]) Push(x T) {
	h.items = append(h.items, x)
	for i := len(h.items) - 1; i > 0; {
		p := (i - 1) / 2
		if !h.items[i].Less(h.items[p]) {
			return
		}
		h.items[i], h.items[p] = h.items[p], h.items[i]
		i = p
	}
}

// Pop takes the least item off; there must be one.
func (h *Heap[T]) Pop() T {
	var zero T
	top, n := h.items[0], len(h.items)-1
	h.items[0], h.items[n] = h.items[n], zero
	h.items = h.items[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			return top
		}
		if c+1 < n && h.items[c+1].Less(h.items[c]) {
			c++
		}
		if !h.items[c].Less(h.items[i]) {
			return top
		}
		h.items[i], h.items[c] = h.items[c], h.items[i]
		i = c
	}
}
