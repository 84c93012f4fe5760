package metrics

// table is a bounded set, first come; the rest shares one entry.
type table[K comparable, V any] struct {
	limit int
	known map[K]*V
	rest  *V // nil: none yet
}

func newTable[K comparable, V any](limit int) table[K, V] {
	return table[K, V]{limit: limit, known: map[K]*V{}}
}

func (t *table[K, V]) full() bool { return len(t.known) >= t.limit }

// get is the entry of k. One that is not there is made: of is called with false
// for what the rest shares.
func (t *table[K, V]) get(k K, of func(k K, own bool) *V) *V {
	if v := t.known[k]; v != nil {
		return v
	}
	if !t.full() {
		v := of(k, true)
		t.known[k] = v
		return v
	}
	if t.rest == nil {
		t.rest = of(k, false)
	}
	return t.rest
}

// find is the entry of k, nil if there is none.
func (t *table[K, V]) find(k K) *V {
	if v := t.known[k]; v != nil {
		return v
	}
	if t.full() {
		return t.rest
	}
	return nil
}

// each calls f with all entries.
func (t *table[K, V]) each(f func(*V)) {
	for _, v := range t.known {
		f(v)
	}
	if t.rest != nil {
		f(t.rest)
	}
}
