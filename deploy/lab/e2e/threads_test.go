package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// printed is a thread in a dump by the JDK's own tool.
var printed = regexp.MustCompile(`(?m)^"(.*)" #.* nid=(0x[0-9a-f]+|[0-9]+) `)

// TestThreadNames: on each of the machine's JDKs, every wait and write of a
// handler thread has its full name, which is that of the JDK's own dump, from
// the first one on; handlers that begin later, too.
func TestThreadNames(t *testing.T) {
	trial.NeedRoot(t)
	all, err := jdk.Machine()
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range all {
		t.Run(fmt.Sprint(j.Release), func(t *testing.T) { threadNames(t, j) })
	}
}

func threadNames(t *testing.T, j jdk.JDK) {
	c := scene1()
	c.Disk, c.Load.PerSecond, c.Java = false, 1000, j.Java()
	s := set(t, c)
	s.load(t)
	trial.Stop(t, s.watch(t, "not-asked", []string{trial.NoExport}, nil, "--thread-names=false"))
	if s.attached(t) {
		t.Error("the JVM was sent something in spite of --thread-names=false")
	}
	file := filepath.Join(s.Run.Dir, "names.pcapng")
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, nil, "--record", file)
	if err := s.Broker.Set(t.Context(), "num.io.threads", "12"); err != nil { // which were 8
		t.Fatal(err)
	}
	time.Sleep(8 * time.Second)
	out, err := exec.Command(filepath.Join(j.Home, "bin/jcmd"), strconv.Itoa(s.Broker.PID()), "Thread.print").Output()
	if err != nil {
		t.Fatal(err)
	}
	trial.Stop(t, ts)
	if !s.attached(t) {
		t.Error("nobody asked the JVM")
	}
	names := map[int32]string{}
	for _, m := range printed.FindAllStringSubmatch(string(out), -1) {
		tid, err := strconv.ParseInt(m[2], 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		names[int32(tid)] = m[1]
	}
	handlers := map[string]int{}
	check := func(tid int32, name string) {
		if !strings.HasPrefix(name, "data-plane-kafk") {
			return
		}
		if names[tid] != name {
			t.Errorf("thread %d is called %q, the JDK says %q", tid, name, names[tid])
		}
		handlers[name]++
	}
	for _, r := range rows[assemble.WriteRow](t, s, file, "writes") {
		check(r.TID, r.Thread)
	}
	writes := len(handlers)
	waits := rows[assemble.WaitRow](t, s, file, "waits")
	for _, r := range waits {
		check(r.TID, r.Thread)
		for _, h := range r.Holders {
			check(h.TID, h.Thread)
		}
	}
	t.Logf("%d waits; %v", len(waits), handlers)
	if handlers["data-plane-kafka-request-handler-11"] == 0 {
		t.Error("no handler that began later")
	}
	if writes == 0 || len(waits) == 0 {
		t.Errorf("%d handlers wrote, %d waits", writes, len(waits))
	}
	roles := 0
	for _, line := range replay(t, s, file, "traces", "0") {
		tr, err := tailspan.ParseTrace([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		for i := range tr.Spans {
			for _, a := range tr.Spans[i].Attributes {
				if a.Key == spans.KeyThreadRole && a.Value.AsString() == "handler" {
					roles++
				}
			}
		}
	}
	if roles == 0 {
		t.Error("no span has a handler's role")
	}
}

// attached says whether the JVM has the thread that serves its attach socket.
func (s *stage) attached(t *testing.T) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/comm", s.Broker.PID()))
	if err != nil || len(threads) < 10 {
		t.Fatalf("%d threads: %v", len(threads), err)
	}
	return slices.ContainsFunc(threads, func(file string) bool {
		b, err := os.ReadFile(file)
		return err == nil && string(b) == "Attach Listener\n"
	})
}

func rows[T any](t *testing.T, s *stage, file, kind string) []T {
	t.Helper()
	all, err := tailspan.Replay[T](t.Context(), s.Bin, filepath.Join(s.Dir, "replay-"+kind+".log"), file, kind)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
