package jvm

import (
	"path/filepath"
	"testing"
)

func TestLifeSites(t *testing.T) {
	for _, home := range jdks(t) {
		sites, err := LifeSites(libjvmOf(home))
		if err != nil {
			t.Fatalf("%s: %v", home, err)
		}
		args := map[string]int{"thread__start": 5, "vmops__begin": 3, "vmops__end": 3, "gc__begin": 1, "gc__end": 0}
		count := map[string]int{}
		for _, s := range sites {
			count[s.Name]++
			if len(s.Args) != args[s.Name] || s.Semaphore != 0 {
				t.Errorf("%s: %+v", home, s)
			}
			if b := byteAt(t, libjvmOf(home), s.FileOffset); b != 0x90 && b != 0x1f {
				t.Errorf("%s: %s: no nop but %#x at %#x", home, s.Name, b, s.FileOffset)
			}
		}
		for name := range args {
			if count[name] == 0 {
				t.Errorf("%s: no %s", home, name)
			}
		}
		t.Logf("%s: %v", filepath.Base(home), count)
	}
}
