package canary

import "iter"

// known are texts that a compressed batch may hold as they are, by their
// windows: names of headers, and values that are asked for.
type known map[[window]byte]bool

func (k known) add(texts ...[]byte) {
	for _, b := range texts {
		for i := 0; i+window <= len(b); i++ {
			k[[window]byte(b[i:])] = true
		}
	}
}

// apart is how far from known bytes a piece keeps: what a codec writes before them,
// a length say, may be a quote as well.
const apart = 4

// others are the pieces of b that hold nothing known, and are long enough to
// be found.
func (k known) others(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		from := 0
		for i := 0; i+window <= len(b); i++ {
			if !k[[window]byte(b[i:])] {
				continue
			}
			if end := i + window - apart; end-from >= window && !yield(b[from:end]) {
				return
			}
			from = i + apart
		}
		if len(b)-from >= window {
			yield(b[from:])
		}
	}
}
