package assemble

import (
	"slices"
	"testing"
)

// A duplicate that is answered before its first writer is through links to the
// trace that the writer becomes in the end.
func TestDuplicateOfUnfinished(t *testing.T) {
	s := newScript(t)
	first := aRequest(1, t0, 1, 12)
	first.Partitions[0].Partition = 4
	first.Partitions = append(first.Partitions, aRequest(1, t0, 1, 11).Partitions...)
	last := aWrite(5, t0+5*ms, t0+6*ms, 7, 12)
	last.Partition = 4
	answer := aResponse(1, t0+7*ms, 7)
	answer.Partitions[0].Partition = 4
	answer.Partitions = append(answer.Partitions, aResponse(1, t0, 10).Partitions...)
	retry, same := aRequest(2, t0+3*ms, 1, 11), aResponse(2, t0+4*ms, 10)
	retry.Conn, same.Conn = 2, 2
	s.play(first, aWrite(5, t0+ms, t0+2*ms, 10, 11), retry, same, last, answer)
	want := s.trace(1)
	if links := s.trace(2).Root().Links; len(links) != 1 || links[0].Trace != want.ID {
		t.Errorf("links %v, want one to %v", links, want.ID)
	}
}

// Brokers answer many partitions in any order.
func TestAnyOrderOfAnswers(t *testing.T) {
	const n = 100
	s := newScript(t)
	r, answer := aRequest(1, t0, 1, 11), aResponse(1, t0+3*ms, 10)
	r.Partitions, answer.Partitions = slices.Repeat(r.Partitions, n), slices.Repeat(answer.Partitions, n)
	for i := range n {
		r.Partitions[i].Partition, answer.Partitions[n-1-i].Partition = int32(i), int32(i)
		answer.Partitions[n-1-i].BaseOffset = int64(1000 + i)
	}
	s.play(r, answer)
	for i, p := range s.requests[0].Partitions {
		if p.BaseOffset == nil || *p.BaseOffset != int64(1000+i) {
			t.Fatalf("partition %d at %v", i, p.BaseOffset)
		}
	}
}
