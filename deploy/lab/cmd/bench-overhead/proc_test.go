package main

import (
	"testing"
	"time"
)

func TestParseCPU(t *testing.T) {
	got, err := parseCPU("42 (a) b c) S 1 42 42 0 -1 4194560 100 0 0 0 123 45 6 7 20 0 1 0 100 1000 10")
	if want := 1680 * time.Millisecond; got != want || err != nil {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if _, err := parseCPU("42 (a"); err == nil {
		t.Error("half a line was read")
	}
}
