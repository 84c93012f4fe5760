package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
)

// A kernel of three functions.
func aKernel(address uint64) string {
	switch address >> 8 {
	case 0xffffffff811111:
		return "__schedule"
	case 0xffffffff822222:
		return "wait_transaction_locked"
	case 0xffffffff833333:
		return "start_this_handle"
	}
	return ""
}

func rawStack(kind bpf.Kind, addresses ...uint64) []byte {
	b := header(byte(kind), len(addresses), 5000)
	if kind == bpf.KindOffCPU {
		b = binary.LittleEndian.AppendUint64(b, 3000) // start
		b = binary.LittleEndian.AppendUint64(b, 4000) // woken
	}
	b = append(b, "data-plane-kafk\x00"...)
	for _, a := range addresses {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	return b
}

// What a replay makes of the hidden records, with the numbers as the recording
// has them, is what the live run made; and no address is left in them.
func TestHide(t *testing.T) {
	live, replayed := NewSymbols(), NewSymbols()
	live.Functions(aKernel)
	raws := [][]byte{
		// The second is the address right behind its function.
		rawStack(bpf.KindOffCPU, 0xffffffff81111110, 0xffffffff82222300, 0xffffffff83333330, 0xffffffffdeadbeef),
		rawStack(bpf.KindOffCPU),
		rawStack(bpf.KindSample, 0xffffffff83333300, 0xffffffff82222210),
		rawStack(bpf.KindOffCPU, 0xffffffff81111150, 0xffffffff82222222),
	}
	want := [][]string{{"wait_transaction_locked", "start_this_handle"}, nil,
		{"start_this_handle", "wait_transaction_locked"}, {"wait_transaction_locked"}}
	var got [2][]event.Event
	l := New(Options{Symbol: live.Name, Emit: func(e event.Event) { got[0] = append(got[0], e) }})
	r := New(Options{Symbol: replayed.Name, Emit: func(e event.Event) { got[1] = append(got[1], e) }})
	for i, raw := range raws {
		before := bytes.Clone(raw)
		hidden, fresh := live.Hide(raw)
		if !bytes.Equal(raw, before) {
			t.Errorf("record %d was written to", i)
		}
		raw = hidden
		if n := []int{3, 0, 0, 0}[i]; len(fresh) != n {
			t.Errorf("record %d: %v are new, want %d", i, fresh, n)
		}
		if bytes.Contains(raw, []byte{0xff, 0xff, 0xff}) {
			t.Errorf("record %d shows an address: %x", i, raw)
		}
		for n, name := range fresh {
			replayed.Learn(n, name)
		}
		l.Record(raw)
		r.Record(raw)
	}
	for i := range want {
		for _, events := range got {
			s := stackOf(events[i])
			switch {
			case want[i] == nil && s == nil:
			case s == nil || !slices.Equal(s.Frames, want[i]):
				t.Errorf("record %d: %+v, want %v", i, s, want[i])
			case i != 2 && s.Reason != stack.TransactionLocked:
				t.Errorf("record %d: reason %q", i, s.Reason)
			}
		}
	}
}

func stackOf(e event.Event) *event.Stack {
	switch e := e.(type) {
	case *event.OffCPU:
		return e.Stack
	case *event.Sample:
		return e.Stack
	}
	return nil
}

// Without rights to see the kernel's symbols there are no stacks, and no
// addresses either.
func TestHideWithoutNames(t *testing.T) {
	s := NewSymbols()
	s.Functions(func(uint64) string { return "" })
	raw := rawStack(bpf.KindOffCPU, 0xffffffff81111110, 0xffffffff82222300)
	raw, fresh := s.Hide(raw)
	if len(fresh) != 0 {
		t.Errorf("names out of nothing: %v", fresh)
	}
	var got *event.OffCPU
	New(Options{Symbol: s.Name, Emit: func(e event.Event) { got = e.(*event.OffCPU) }}).Record(raw)
	if got.Stack != nil || got.Start != 3000 || got.Woken != 4000 || got.End != 5000 {
		t.Errorf("got %+v", got)
	}
	if !bytes.Equal(raw[56:], make([]byte, 16)) {
		t.Errorf("addresses are left: %x", raw[56:])
	}
}

func TestSymbolsAreBounded(t *testing.T) {
	s := NewSymbols()
	s.Functions(func(a uint64) string { return fmt.Sprint("f", a) })
	for a := range uint64(maxSymbols + 1000) {
		raw := rawStack(bpf.KindSample, a)
		raw, _ = s.Hide(raw)
		if n := bpf.StackOf(raw).At(0); a >= maxSymbols && n != 0 {
			t.Fatalf("function %d has the number %d", a, n)
		}
	}
	if s.Learn(1<<40, "late") || s.Learn(0, "none") || NewSymbols().Learn(1, string(make([]byte, maxSymbolName+1))) {
		t.Error("taken beyond the bounds")
	}
}

// Whatever a record holds: only numbers are left where addresses may stand.
func FuzzHide(f *testing.F) {
	f.Add(rawStack(bpf.KindOffCPU, 0xffffffff81111110, 0xffffffff82222300))
	f.Add(rawStack(bpf.KindSample, 0xffffffff81111110)[:47])
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := NewSymbols()
		s.Functions(aKernel)
		before := bytes.Clone(raw)
		raw, _ = s.Hide(raw)
		all := bpf.StackOf(raw)
		for i := range all.Len() {
			if n := all.At(i); n > 3 || n != 0 && s.Name(n) == "" {
				t.Errorf("%d is left", n)
			}
		}
		if rest := all[8*all.Len():]; !bytes.Equal(rest, make([]byte, len(rest))) {
			t.Errorf("a part of an address is left: %x", rest)
		}
		if n := len(raw) - len(all); !bytes.Equal(raw[:n], before[:n]) {
			t.Error("more than the stack was changed")
		}
		New(Options{Symbol: s.Name, Emit: func(event.Event) {}}).Record(raw)
	})
}

// BenchmarkStack is a record with a stack of 20 functions, met before, to its
// event.
func BenchmarkStack(b *testing.B) {
	s := NewSymbols()
	s.Functions(func(a uint64) string { return fmt.Sprint("f", a) })
	c := New(Options{Symbol: s.Name, Emit: func(event.Event) {}})
	var all []uint64
	for i := range uint64(20) {
		all = append(all, 0xffffffff81000000+i<<12)
	}
	raw := rawStack(bpf.KindOffCPU, all...)
	b.ReportAllocs()
	for b.Loop() {
		hidden, _ := s.Hide(raw)
		c.Record(hidden)
	}
}
