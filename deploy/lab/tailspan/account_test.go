package tailspan

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// logged is a log as the product writes it.
func logged(format string, accounts ...Account) string {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	if format == "json" {
		log = slog.New(slog.NewJSONHandler(&out, nil))
	}
	log.Info("tracing broker", "requests", "seen=7")
	for _, a := range accounts {
		log.Info("requests", "seen", a.Seen, "exported", a.Exported, "sampled_out", a.SampledOut, "pending", a.Pending, "dropped", a.Dropped)
		log.Info("so far", "requests", a.Seen)
	}
	return out.String()
}

var (
	early  = Account{Seen: 5, Pending: 5, Dropped: map[string]uint64{}}
	good   = Account{Seen: 17, Exported: 3, SampledOut: 4, Dropped: map[string]uint64{"export: queue full": 9, "sample: over budget": 1}}
	lacks  = Account{Seen: 18, Exported: 3, SampledOut: 4, Dropped: map[string]uint64{"export: queue full": 9, "sample: over budget": 1}}
	hangs  = Account{Seen: 18, Exported: 3, SampledOut: 4, Pending: 1, Dropped: map[string]uint64{"export: queue full": 10}}
	broken = strings.ReplaceAll(logged("text", good), "sample: over budget:1", "sample over budget")
)

func TestAccounts(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		got, err := Accounts(logged(format, early, good))
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: %+v, %v", format, got, err)
		}
		for i, want := range []Account{early, good} {
			dropped := got[i].Dropped
			got[i].Dropped, want.Dropped = nil, nil
			if got[i].Seen != want.Seen || got[i].Exported != want.Exported || got[i].SampledOut != want.SampledOut || got[i].Pending != want.Pending ||
				!maps.Equal(dropped, []Account{early, good}[i].Dropped) {
				t.Errorf("%s: %+v %v, want %+v", format, got[i], dropped, want)
			}
		}
	}
	for _, log := range []string{broken, strings.ReplaceAll(logged("text", good), " pending=0", ""), strings.ReplaceAll(logged("text", good), "dropped", "lost")} {
		if got, err := Accounts(log); err == nil {
			t.Errorf("%+v was read from %s", got, log)
		}
	}
}

// TestAudit: of whatever ends well after it traced, the account must be there, and
// right, in each of its lines; and whoever waits in whatever way is told.
func TestAudit(t *testing.T) {
	for _, c := range []struct {
		name, log, exit string
		args            []string
		want            error
	}{
		{"good", logged("text", early, good), "0", []string{"run"}, nil},
		{"good, as JSON", logged("json", early, good), "0", []string{"replay"}, nil},
		{"lacks one", logged("text", lacks, good), "0", []string{"run"}, ErrUnbalanced},
		{"pending", logged("json", good, hangs), "0", []string{"record"}, ErrPending},
		{"pending, on disk", logged("text", hangs), "0", []string{"run", "--queue-dir=d"}, nil},
		{"no account", logged("text"), "0", []string{"run"}, ErrNoAccount},
		{"nothing to trace", logged("text"), "2", []string{"run"}, nil},
		{"another command", logged("text"), "0", []string{"doctor"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "said")
			if err := os.WriteFile(file, []byte(c.log), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Start("/bin/sh", filepath.Join(dir, "log"), nil, nil, append([]string{"-c", `cat "$0" >&2; exit ` + c.exit, file}, c.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			select {
			case <-s.Done():
			case <-time.After(10 * time.Second):
				t.Fatal("it runs on")
			}
			if err := s.Audit(); !errors.Is(err, c.want) {
				t.Errorf("audit: %v, want %v", err, c.want)
			}
			for name, wait := range map[string]func() error{"stop": s.Stop, "wait": func() error { return s.Wait(t.Context()) }, "all": Audited} {
				if err := wait(); c.exit == "0" && !errors.Is(err, c.want) {
					t.Errorf("%s: %v, want %v", name, err, c.want)
				}
				if name == "stop" {
					s.lines <- nil // it waits for the end of the lines once
				}
			}
			if a := s.Account(); c.exit == "0" && c.args[0] != "doctor" && (a != nil) != (c.want == nil) {
				t.Errorf("account: %+v", a)
			}
			started.all = nil
		})
	}
}
