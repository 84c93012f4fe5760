package serve

import (
	"testing"
	"time"
)

// BenchmarkSearch is a lookup that no kept trace answers, without the HTTP: the
// log dir is listed, its files opened and closed.
func BenchmarkSearch(b *testing.B) {
	s := newServer(Options{Brokers: func() []Broker { return []Broker{{LogDirs: []string{fixture}, Since: time.Unix(1, 0)}} }}, nil)
	b.ReportAllocs()
	for b.Loop() {
		var a answer
		if s.find(b.Context(), query{topic: "clients", offset: 35}, &a); a.TraceID == nil {
			b.Fatal(a.Reason)
		}
	}
}
