package jfr

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT0S": 0, "PT0.000001203S": 1203, "PT1.5S": 1500 * time.Millisecond, "PT2M0.25S": 2*time.Minute + 250*time.Millisecond,
		"PT1H": time.Hour, "PT3M": 3 * time.Minute,
	} {
		if got, err := duration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1.5s", "P1D", "PT-1S"} {
		if got, err := duration(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
