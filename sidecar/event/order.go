package event

// Order keeps the least of its items on top, as Heap does, for items that come
// nearly in order: to add one behind all others and to take the first off cost
// no search. Items that are equal come out in any order. It does not allocate
// beyond the growth of its slices, and is not safe for concurrent use.
type Order[T interface{ Less(T) bool }] struct {
	items  []T // sorted, from first on
	first  int
	strays Heap[T] // what came too far out of order
}

// maxShift is how far an item is moved back to its place: CPUs' records and
// reordered packets are a few places out, a hostile recording is more.
const maxShift = 64

// Len is the number of items.
func (o *Order[T]) Len() int { return len(o.items) - o.first + o.strays.Len() }

// stray says whether the least item is a stray; there must be one.
func (o *Order[T]) stray() bool {
	return o.strays.Len() > 0 && (o.first == len(o.items) || o.strays.Top().Less(o.items[o.first]))
}

// Top is the least item; there must be one.
func (o *Order[T]) Top() T {
	if o.stray() {
		return o.strays.Top()
	}
	return o.items[o.first]
}

// Push adds an item.
func (o *Order[T]) Push(x T) {
	i := len(o.items)
	for n := 0; i > o.first && x.Less(o.items[i-1]); n++ {
		if n == maxShift {
			o.strays.Push(x)
			return
		}
		i--
	}
	o.items = append(o.items, x)
	if i < len(o.items)-1 {
		copy(o.items[i+1:], o.items[i:])
		o.items[i] = x
	}
}

// Pop takes the least item off; there must be one.
func (o *Order[T]) Pop() T {
	if o.stray() {
		return o.strays.Pop()
	}
	var zero T
	x := o.items[o.first]
	o.items[o.first] = zero
	o.first++
	switch {
	case o.first == len(o.items):
		o.items, o.first = o.items[:0], 0
	case o.first > len(o.items)/2 && o.first > 1024:
		n := copy(o.items, o.items[o.first:])
		clear(o.items[n:])
		o.items, o.first = o.items[:n], 0
	}
	return x
}
