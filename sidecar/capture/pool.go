package capture

// pool keeps the storage of frames that were read for those that come.
type pool[T any] struct{ free []*T }

func (p *pool[T]) take() *T {
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b
	}
	return new(T)
}

// give takes storage back, nil included.
func (p *pool[T]) give(b *T) {
	if b != nil && len(p.free) < maxPooled {
		p.free = append(p.free, b)
	}
}
