package rights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/rights"
	"github.com/tailspan/tailspan/spans"
)

const (
	stall = 400 * time.Millisecond // of the disk, once in twice that time
	watch = 3 * time.Second        // a recording
)

// steady are the kinds of span that this load shows at any time.
var steady = []string{spans.NameProduce, spans.NameWrite, spans.NameExt4DirtyInode, spans.NameJBD2Commit, spans.NameMonitorWait}

// report is what is read of doctor's.
type report struct {
	Brokers []struct {
		Spans []struct{ Name, State, Detail string }
	}
	ExitCode int `json:"exit_code"`
}

// States of a kind of span.
const (
	ok       = "ok"
	degraded = "degraded"
	missing  = "missing"
)

// TestCapabilities takes away one capability at a time, of root and of another
// user. What doctor says that a trace will show, a real trace must show; what
// it says is missing, none may. The README's table is what came out.
func TestCapabilities(t *testing.T) {
	s := set(t)
	rows := map[string][2]string{}
	for i, uid := range []int{ourUID, 0} {
		var all report
		for _, c := range append([]rights.Capability{{Name: "none"}}, rights.All...) {
			one := rights.Of(c.Number)
			if c.Name == "none" {
				one = 0
			} else if !rights.Start.Has(one) {
				continue
			}
			t.Run(fmt.Sprintf("uid %d without %s", uid, c.Name), func(t *testing.T) {
				var r report
				var err error
				var examined sync.WaitGroup
				examined.Go(func() { r, err = s.examine(t.Context(), uid, rights.Start&^one) })
				seen := s.record(t, uid, rights.Start&^one)
				if examined.Wait(); err != nil {
					t.Fatal(err)
				}
				holdTo(t, r, seen)
				if one == 0 {
					all = r
				}
				if one == 0 && r.ExitCode != 0 {
					t.Errorf("with all of them: %+v", r)
				}
				row := rows[c.Name]
				row[i] = lost(r, all)
				rows[c.Name] = row
			})
		}
	}
	if !t.Failed() {
		holdReadme(t, table(rows))
	}
}

// examine is `tailspan doctor`.
func (s *stage) examine(ctx context.Context, uid int, held rights.Set) (r report, err error) {
	line := as(uid, held, s.Bin, "doctor", "--json", "--pid", fmt.Sprint(s.Broker.PID()))
	out, err := exec.CommandContext(ctx, line[0], line[1:]...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return r, err
	}
	if err := json.Unmarshal(out, &r); err != nil || len(r.Brokers) != 1 {
		return r, fmt.Errorf("doctor: %v: %s", err, out)
	}
	return r, nil
}

// record is `tailspan record` for a while, and what it has seen: which kinds of
// span, by its rows where packets are missing.
func (s *stage) record(t *testing.T, uid int, held rights.Set) map[string]bool {
	t.Helper()
	file := filepath.Join(s.own, fmt.Sprintf("%d-%x.pcapng", uid, uint64(held)))
	log := filepath.Join(s.Dir, filepath.Base(file)+".log")
	line := as(uid, held, s.Bin, "record", "-o", file, "--pid", fmt.Sprint(s.Broker.PID()))
	ts, err := tailspan.Start(line[0], log, []string{trial.NoExport}, nil, line[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	defer ts.Process.Stop(unix.SIGKILL, time.Second)
	tracing := func() bool {
		out, _ := ts.Output()
		return strings.Contains(out, "tracing broker")
	}
	seen := map[string]bool{}
	if err := ts.Until(t.Context(), 10*time.Second, tracing); err != nil {
		t.Logf("nothing is traced: %v", err)
		return seen
	}
	time.Sleep(watch)
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
	seen[spans.NameProduce] = len(replay[assemble.RequestRow](t, s, file, "requests")) > 0
	seen[spans.NameWrite] = len(replay[assemble.WriteRow](t, s, file, "writes")) > 0
	seen[spans.NameMonitorWait] = len(replay[assemble.WaitRow](t, s, file, "waits")) > 0
	for _, c := range replay[assemble.CommitRow](t, s, file, "commits") {
		seen[spans.NameJBD2Commit] = true
		seen[spans.NameExt4DirtyInode] = seen[spans.NameExt4DirtyInode] || len(c.Held) > 0
	}
	for _, raw := range replay[json.RawMessage](t, s, file, "traces") {
		tr, err := tailspan.ParseTrace(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range tr.Spans {
			seen[span.Name] = true
		}
	}
	return seen
}

func replay[T any](t *testing.T, s *stage, file, kind string) []T {
	t.Helper()
	rows, err := tailspan.Replay[T](t.Context(), s.Bin, filepath.Join(s.Dir, "replay.log"), file, kind)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// holdTo holds what doctor says to what was seen.
func holdTo(t *testing.T, r report, seen map[string]bool) {
	t.Helper()
	for _, c := range r.Brokers[0].Spans {
		switch {
		case c.State == missing && seen[c.Name]:
			t.Errorf("%s was seen, though %s", c.Name, c.Detail)
		case c.State == ok && slices.Contains(steady, c.Name) && !seen[c.Name]:
			t.Errorf("%s was not seen, though it is to come %s", c.Name, c.Detail)
		}
	}
}
