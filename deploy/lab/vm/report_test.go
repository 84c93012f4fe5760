package vm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/vm"
)

// verdict is how one test of a guest ended, and what it said.
type verdict struct {
	name, action string
	output       strings.Builder
}

// report makes each test of a guest one of this test's, so that they are
// counted as such.
func report(t *testing.T, o *vm.Output) {
	t.Helper()
	all, err := verdicts(o.Text)
	if err != nil {
		t.Fatal(err)
	}
	failed := false
	for _, v := range all {
		failed = failed || v.action == "fail" || v.action == ""
		t.Run(v.name, func(t *testing.T) {
			switch v.action {
			case "pass":
				t.Log(v.output.String())
			case "skip":
				t.Skip(reason(v.output.String()))
			case "fail":
				t.Error(v.output.String())
			default:
				t.Errorf("it did not end:\n%s", v.output.String())
			}
		})
	}
	if o.Code != 0 && !failed || len(all) == 0 {
		t.Errorf("exit code %d, and no test that failed:\n%s", o.Code, o.Text)
	}
}

// verdicts reads a test's output, in the order in which tests began.
func verdicts(text string) (all []*verdict, err error) {
	cmd := exec.Command("go", "tool", "test2json")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	by := map[string]*verdict{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var e struct{ Action, Test, Output string }
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if e.Test == "" {
			continue
		}
		v := by[e.Test]
		if v == nil {
			v = &verdict{name: e.Test}
			by[e.Test] = v
			all = append(all, v)
		}
		switch e.Action {
		case "output":
			v.output.WriteString(e.Output)
		case "pass", "fail", "skip":
			v.action = e.Action
		}
	}
}

// reason is what a skipped test said for itself.
func reason(output string) string {
	for line := range strings.Lines(output) {
		if _, text, ok := strings.Cut(line, ".go:"); ok {
			_, text, _ = strings.Cut(text, ": ")
			return strings.TrimSpace(text)
		}
	}
	return strings.TrimSpace(output)
}

func TestVerdicts(t *testing.T) {
	all, err := verdicts("\x16=== RUN   TestA\n\x16=== RUN   TestA/b\n    a_test.go:3: needs root\n\x16--- FAIL: TestA (0.10s)\n" +
		"    \x16--- SKIP: TestA/b (0.00s)\n\x16=== RUN   TestC\npanic: gone\n")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range all {
		got[v.name] = v.action
	}
	if len(got) != 3 || got["TestA"] != "fail" || got["TestA/b"] != "skip" || got["TestC"] == "pass" {
		t.Errorf("verdicts %v", got)
	}
	if r := reason(all[1].output.String()); r != "needs root" {
		t.Errorf("reason %q", r)
	}
}
