package probe

import (
	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
)

// maxStacks bounds the stacks that are remembered: the ways into a wait are few.
const maxStacks = 4096

// stacks names stacks, each once.
type stacks struct {
	symbol func(uint64) string // nil: none is named
	known  map[string]*event.Stack
}

func newStacks(symbol func(uint64) string) stacks {
	return stacks{symbol: symbol, known: map[string]*event.Stack{}}
}

// of is nil for no stack.
func (s *stacks) of(raw bpf.Stack) *event.Stack {
	if s.symbol == nil || raw.Len() == 0 {
		return nil
	}
	if k := s.known[string(raw)]; k != nil {
		return k
	}
	if len(s.known) >= maxStacks {
		clear(s.known)
	}
	frames := make([]string, 0, raw.Len())
	for i := range raw.Len() {
		if name := s.symbol(raw.At(i)); name != "" {
			frames = append(frames, name)
		}
	}
	k := &event.Stack{Frames: frames, Reason: stack.Reason(frames)}
	s.known[string(raw)] = k
	return k
}
