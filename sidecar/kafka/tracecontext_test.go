package kafka

import (
	"encoding/hex"
	"testing"
)

func TestTraceparent(t *testing.T) {
	const ok = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	want := TraceContext{Flags: 1}
	hex.Decode(want.TraceID[:], []byte(ok[3:35]))
	hex.Decode(want.SpanID[:], []byte(ok[36:52]))
	for _, x := range []struct {
		in string
		ok bool
	}{
		{ok, true}, {"01" + ok[2:], true}, {"cc" + ok[2:] + "-what-comes", true}, {"fe" + ok[2:] + "-", true},
		{ok[:53] + "fd", true}, // flags that are not defined are left out
		{"", false}, {ok[:54], false}, {ok + "-", false}, {ok + "0", false}, {"01" + ok[2:] + "x", false}, {"ff" + ok[2:], false},
		{"0A" + ok[2:], false}, {"00-4BF92F3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
		{"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false},
		{"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01", false},
		{ok[:53] + "0g", false}, {ok[:53] + "0A", false},
	} {
		got, valid := ParseTraceparent([]byte(x.in))
		if valid != x.ok || valid && got != want || !valid && got != (TraceContext{}) {
			t.Errorf("%q: %+v, %v", x.in, got, valid)
		}
	}
}
