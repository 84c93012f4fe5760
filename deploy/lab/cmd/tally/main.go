// Tally runs go test in the modules named as arguments, one package at a time or,
// with @N, N of them, shows what failed, what took long, and what was skipped and
// why, and ends with how many tests passed, failed, and were skipped. It exits with
// 1 if any failed, or if go test itself did.
//
//	tally [-timeout 20m] [-short] DIR[@N]…
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	timeout := flag.String("timeout", "20m", "of each package")
	short := flag.Bool("short", false, "go test -short")
	flag.Parse()
	t := tally{output: map[string][]string{}, out: os.Stdout}
	for _, dir := range flag.Args() {
		if err := t.run(dir, *timeout, *short); err != nil {
			fmt.Fprintf(os.Stderr, "tally: %s: %v\n", dir, err)
			t.broken++
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed+t.broken, t.skipped)
	if t.failed+t.broken > 0 || t.passed == 0 {
		os.Exit(1)
	}
}

// event is one line of go test -json.
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

// slow is how many seconds a test may take without being named.
const slow = 15

// tally counts tests; broken counts packages that fail without a failed test
// (they do not build, they time out, TestMain exits).
type tally struct {
	passed, skipped, failed, broken int
	output                          map[string][]string // of each test and package
	out                             io.Writer
}

func (t *tally) run(dir, timeout string, short bool) error {
	dir, n, several := strings.Cut(dir, "@")
	if !several {
		n = "1"
	}
	args := []string{"test", "-json", "-p", n, "-timeout", timeout}
	if short {
		args = append(args, "-short")
	}
	cmd := exec.Command("go", append(args, "./...")...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	failed := t.failed + t.broken
	if err := t.read(out); err != nil {
		return errors.Join(err, cmd.Wait())
	}
	if err := cmd.Wait(); err != nil && t.failed+t.broken == failed {
		return err // it failed, and no event said why
	}
	return nil
}

func (t *tally) read(in io.Reader) error {
	failedIn := map[string]int{} // by package
	for d := json.NewDecoder(in); ; {
		var e event
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read go test -json: %w", err)
		}
		if e.Test == "" {
			t.pkg(e, failedIn)
		} else {
			t.test(e, failedIn)
		}
	}
}

// test takes an event of a test.
func (t *tally) test(e event, failedIn map[string]int) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		t.output[key] = append(t.output[key], e.Output)
		return
	case "pass":
		t.passed++
		if e.Elapsed >= slow && !strings.Contains(e.Test, "/") {
			fmt.Fprintf(t.out, "slow  %s %s: %.0fs\n", e.Package, e.Test, e.Elapsed)
		}
	case "skip":
		t.skipped++
		fmt.Fprintf(t.out, "skip  %s %s: %s\n", e.Package, e.Test, reason(t.output[key]))
	case "fail":
		t.failed++
		failedIn[e.Package]++
		fmt.Fprintf(t.out, "FAIL  %s %s\n%s", e.Package, e.Test, strings.Join(t.output[key], ""))
	default:
		return
	}
	delete(t.output, key)
}

// pkg takes an event of a package, or of a build.
func (t *tally) pkg(e event, failedIn map[string]int) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.out, e.Output)
	case "output":
		t.output[e.Package] = append(t.output[e.Package], e.Output)
	case "pass":
		fmt.Fprintf(t.out, "ok    %s %.1fs\n", e.Package, e.Elapsed)
	case "fail":
		if failedIn[e.Package] == 0 {
			t.broken++
		}
		fmt.Fprintf(t.out, "FAIL  %s %.1fs\n%s", e.Package, e.Elapsed, strings.Join(t.output[e.Package], ""))
	}
}

// reason is what t.Skip said: the line that is no frame of go test's own.
func reason(output []string) string {
	for _, line := range output {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			if _, text, ok := strings.Cut(line, ".go:"); ok {
				_, text, _ = strings.Cut(text, ": ")
				return text
			}
			return line
		}
	}
	return "no reason given"
}
