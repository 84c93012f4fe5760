package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

var backends = []string{bpf.Fentry, bpf.TpBTF, bpf.RawTP, bpf.Tracepoint, bpf.Kprobe, bpf.PerfEvent}

// TestAttach finds out by trying which backends see which subject here, and
// which one is chosen when all may be; it prints both. What does not attach
// must not be broken (a program that the verifier rejects, say), and what was
// passed over must not work when it is asked for alone.
func TestAttach(t *testing.T) {
	here(t)
	works := map[string][]string{} // by subject
	for _, b := range backends {
		for _, s := range status(t, []string{b}) {
			if s.Attached && s.Backend == b {
				works[s.Name] = append(works[s.Name], b)
			}
		}
	}
	for _, s := range status(t, nil) {
		if bpf.PerProcess(s.Name) {
			continue // TestMonitors
		}
		if (s.Backend == "") != (len(works[s.Name]) == 0) {
			t.Errorf("%s is seen by %q, alone it is by %q", s.Name, s.Backend, works[s.Name])
		}
		for _, tried := range s.Tried {
			t.Logf("%s by %s: %v", s.Name, tried.Backend, tried.Err)
			works := slices.Contains(works[s.Name], tried.Backend) // perhaps by another way of the same backend
			if !works && !errors.Is(tried.Err, bpf.ErrNotHere) {
				t.Errorf("%s by %s is broken: %v", s.Name, tried.Backend, tried.Err)
			}
			if works && tried.Backend != s.Backend {
				t.Errorf("%s by %s works alone, and was passed over", s.Name, tried.Backend)
			}
		}
		printAttached(t, plan.Attached{Subject: s.Name, Backend: s.Backend, Works: chosenFirst(works[s.Name], s.Backend)})
	}
}

func chosenFirst(all []string, chosen string) []string {
	if i := slices.Index(all, chosen); i > 0 {
		all = slices.Insert(slices.Delete(all, i, i+1), 0, chosen)
	}
	return all
}

func printAttached(t *testing.T, a plan.Attached) {
	t.Helper()
	line, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s%s\n", plan.AttachedLine, line)
}

// status of all subjects when only some backends, or all, may be taken.
func status(t *testing.T, only []string) []bpf.Subject {
	t.Helper()
	p, err := bpf.Open(bpf.Options{Backends: only})
	if err != nil {
		if !errors.Is(err, bpf.ErrNotHere) {
			t.Errorf("%v: %v", only, err)
		}
		return nil
	}
	defer p.Close()
	return p.Status()
}
