package jdk

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// modules are what the tests of a JVM need of a runtime.
var modules = []string{"java.management", "jdk.jfr", "jdk.attach"}

// TestAll: there is one of each release, each runs, and is what it is said to be.
func TestAll(t *testing.T) {
	if testing.Short() {
		t.Skip("runtimes are some hundred megabytes (-short)")
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	all, err := All(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	have := map[int]bool{}
	for _, j := range all {
		have[j.Release] = true
		has := run(t, j)
		if !strings.Contains(has, "java.base@"+j.Version) {
			t.Errorf("%s says that it has %.40q", j, has)
		}
		for _, m := range modules {
			if !strings.Contains(has, m+"@") {
				t.Errorf("%s has no %s", j, m)
			}
		}
		if _, err := os.Stat(j.LibJVM()); err != nil {
			t.Error(err)
		}
		t.Log(j)
	}
	for _, release := range []int{11, 17, 21, 25} {
		if !have[release] && runtime.GOARCH == "amd64" {
			t.Errorf("no JDK %d", release)
		}
	}
}

// run has the JVM list its modules.
func run(t *testing.T, j JDK) string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := child.Guard(exec.CommandContext(ctx, j.Java(), "-Xmx32m", "--list-modules")).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v: %s", j, err, out)
	}
	return string(out)
}
