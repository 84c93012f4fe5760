package main

import (
	"strings"
	"testing"
)

func TestTally(t *testing.T) {
	const in = `{"Action":"run","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"B","Output":"=== RUN   B\n"}
{"Action":"output","Package":"p","Test":"B","Output":"    b_test.go:12: needs root\n"}
{"Action":"skip","Package":"p","Test":"B"}
{"Action":"output","Package":"p","Test":"C","Output":"    c_test.go:1: wrong\n"}
{"Action":"fail","Package":"p","Test":"C"}
{"Action":"fail","Package":"p"}
{"Action":"fail","Package":"q"}
`
	var out strings.Builder
	tl := tally{output: map[string][]string{}, out: &out}
	if err := tl.read(strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	if tl.passed != 1 || tl.skipped != 1 || tl.failed != 1 || tl.broken != 1 {
		t.Errorf("%d passed, %d skipped, %d failed, %d broken; want one each", tl.passed, tl.skipped, tl.failed, tl.broken)
	}
	for _, want := range []string{"skip  p B: needs root", "wrong"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
