package sample

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// fair is max-min fairness by its definition: give one to whoever has least of
// those that want more, until nothing is left.
func fair(want []int, total int) []int {
	got := make([]int, len(want))
	for ; total > 0; total-- {
		least := -1
		for i := range want {
			if got[i] < want[i] && (least < 0 || got[i] < got[least]) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		got[least]++
	}
	return got
}

// Shares after any arrivals, in any order, are those of max-min fairness over
// topics and then classes, to within the one that cannot be halved.
func TestSharesAreFair(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		topics, most := 1+r.IntN(8), 150+r.IntN(400)
		want := make([][]int, topics)
		var arrivals [][2]int
		for i := range want {
			want[i] = make([]int, classes)
			for range 1 + r.IntN(4) {
				c, n := r.IntN(classes), 1<<r.IntN(9)
				want[i][c] += n
				for range n {
					arrivals = append(arrivals, [2]int{i, c})
				}
			}
		}
		r.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
		var s strata
		s.begin(most)
		for _, a := range arrivals {
			s.arrive(s.find(fmt.Sprint(a[0]), Class(a[1])))
		}
		checkFair(t, seed, &s, want, most)
	}
}

func checkFair(t *testing.T, seed uint64, s *strata, want [][]int, most int) {
	t.Helper()
	sums := make([]int, len(want))
	for i := range want {
		for _, n := range want[i] {
			sums[i] += n
		}
	}
	for i, share := range fair(sums, most) {
		got := s.topics[s.byName[fmt.Sprint(i)]]
		if got.share < share-1 || got.share > share+1 {
			t.Fatalf("seed %d: topic %d of %v has %d, not %d", seed, i, sums, got.share, share)
		}
		for c, share := range fair(want[i], got.share) {
			if at := got.stratum[c]; share > 0 && (s.all[at].share < share-1 || s.all[at].share > share+1) {
				t.Fatalf("seed %d: class %d of %v has %d, not %d", seed, c, want[i], s.all[at].share, share)
			}
		}
	}
}

// However many strata there are, and however few traces may be kept, none is
// without, and together they have no more.
func TestNoStratumIsWithout(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 6))
		most := fewest + r.IntN(600)
		var s strata
		s.begin(most)
		seen := map[int32]int{}
		for range 4000 {
			at := s.find(fmt.Sprint(r.IntN(1+r.IntN(300))), Class(r.IntN(classes)))
			seen[at]++
			s.arrive(at)
		}
		sum := 0
		for at, n := range seen {
			if got := s.all[at].share; got < min(n, fewest) {
				t.Fatalf("seed %d: of %d candidates %d may be kept", seed, n, got)
			}
			sum += s.all[at].share
		}
		if sum != s.shares || sum > most || len(s.all) > s.limit || len(s.topics) > maxTopics {
			t.Fatalf("seed %d: %d of %d, %d strata, %d topics", seed, sum, most, len(s.all), len(s.topics))
		}
	}
}

// Whose share was never cut has all that arrived.
func TestUnderBudgetAllHaveTheirShare(t *testing.T) {
	var s strata
	s.begin(100)
	for i := range 100 {
		if _, cut := s.arrive(s.find(fmt.Sprint(i%7), Class(i%3))); cut {
			t.Fatal(i)
		}
	}
	if _, cut := s.arrive(s.find("0", 0)); !cut {
		t.Error("more than may be kept")
	}
}
