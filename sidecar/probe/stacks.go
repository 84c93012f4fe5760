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
	symbol func(number uint64) string // nil: none is named
	known  map[string]*event.Stack
}

func newStacks(symbol func(uint64) string) stacks {
	return stacks{symbol: symbol, known: map[string]*event.Stack{}}
}

// of is nil for no stack, and for one of which no function is known.
func (s *stacks) of(raw bpf.Stack) *event.Stack {
	if s.symbol == nil || raw.Len() == 0 {
		return nil
	}
	if k, ok := s.known[string(raw)]; ok {
		return k
	}
	if len(s.known) >= maxStacks {
		clear(s.known)
	}
	var frames []string
	for i := range raw.Len() {
		if name := s.symbol(raw.At(i)); name != "" {
			frames = append(frames, name)
		}
	}
	var k *event.Stack
	if len(frames) > 0 {
		k = &event.Stack{Frames: stack.Trim(frames), Reason: stack.Reason(frames)}
	}
	s.known[string(raw)] = k
	return k
}
