package metrics

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAccount(t *testing.T) {
	m := New(Options{Version: "v1.2"})
	url := serve(t, m)
	if f := scrape(t, url, acceptProtobuf); f["tailspan_requests_seen_total"] != nil {
		t.Error("an account of nobody's")
	}
	full(m)
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
		f := scrape(t, url, accept)
		for _, x := range []struct {
			name   string
			labels []string
			want   float64
		}{
			{"requests_seen_total", nil, 10}, {"requests_exported_total", nil, 1}, {"requests_sampled_out_total", nil, 6},
			{"requests_pending", nil, 1}, {"requests_dropped_total", []string{"stage", "export", "reason", "queue full"}, 2},
			{"traces_total", []string{"fate", "exported"}, 2}, {"traces_kept_total", []string{"why", "slow"}, 1},
			{"spans_exported_total", nil, 11}, {"export_queue_spans", nil, 3},
			{"export_queue_disk_bytes", nil, 5000}, {"export_failures_total", nil, 1},
			{"lost_total", []string{"what", "packet gaps"}, 4},
			{"probe_up", []string{"probe", "fs.write", "backend", "fentry"}, 1},
			{"probe_up", []string{"probe", "monitors", "backend", "usdt"}, 0},
			{"brokers", nil, 1}, {"jvms_unwatched", nil, 1}, {"build_info", []string{"version", "v1.2"}, 1},
		} {
			if got := f.value("tailspan_"+x.name, x.labels...); got != x.want {
				t.Errorf("%s: %s %v is %v, want %v", accept, x.name, x.labels, got, x.want)
			}
		}
	}
}

// TestIdentity scrapes while the numbers change: each scrape is of one account.
func TestIdentity(t *testing.T) {
	var mu sync.Mutex
	a := Account{Dropped: map[StageReason]uint64{}}
	var calls atomic.Int64
	m := New(Options{})
	m.Account(func() Account {
		calls.Add(1)
		mu.Lock()
		defer mu.Unlock()
		x := a
		x.Dropped = map[StageReason]uint64{}
		for k, n := range a.Dropped {
			x.Dropped[k] = n
		}
		return x
	})
	done := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		rng := rand.New(rand.NewPCG(7, 8))
		for {
			select {
			case <-done:
				return
			default:
			}
			mu.Lock()
			a.Seen++
			switch rng.IntN(4) {
			case 0:
				a.Exported++
			case 1:
				a.SampledOut++
			case 2:
				a.Pending++
			case 3:
				a.Dropped[StageReason{"sample", []string{"budget", "closing"}[rng.IntN(2)]}]++
			}
			mu.Unlock()
		}
	})
	url := serve(t, m)
	const scrapes = 50
	for range scrapes {
		f := scrape(t, url, acceptProtobuf)
		sum := f.value("tailspan_requests_exported_total") + f.value("tailspan_requests_sampled_out_total") + f.value("tailspan_requests_pending")
		for _, x := range f["tailspan_requests_dropped_total"].GetMetric() {
			sum += x.GetCounter().GetValue()
		}
		if seen := f.value("tailspan_requests_seen_total"); seen != sum {
			t.Fatalf("seen %v, accounted for %v", seen, sum)
		}
	}
	close(done)
	work.Wait()
	if n := calls.Load(); n != scrapes {
		t.Errorf("asked %d times in %d scrapes", n, scrapes)
	}
}

func TestAccountThatDoesNotAddUp(t *testing.T) {
	var log bytes.Buffer
	m := New(Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	url := serve(t, m)
	seen := uint64(2)
	m.Account(func() Account { return Account{Seen: seen, Exported: 1} })
	for range 3 {
		scrape(t, url, acceptText)
	}
	seen = 1
	scrape(t, url, acceptText)
	if s := log.String(); strings.Count(s, "do not add up") != 1 || strings.Count(s, "add up again") != 1 {
		t.Error(s)
	}
}

// TestBadLabels: one that is no UTF-8 does not spoil the scrape.
func TestBadLabels(t *testing.T) {
	var log bytes.Buffer
	m := New(Options{Version: "\xff", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	m.Account(func() Account {
		return Account{Seen: 3, Pending: 3, Lost: map[string]uint64{"a\xff": 1, "b\n\"": 2},
			Probes: []Probe{{"p", "b", true}, {"p", "b", false}, {"q", "b", true}, {"q", "b", true}}}
	})
	f := scrape(t, serve(t, m), acceptProtobuf)
	if f.value("tailspan_lost_total", "what", "a\uFFFD") != 1 || f.value("tailspan_lost_total", "what", "b\n\"") != 2 {
		t.Error(f["tailspan_lost_total"])
	}
	if f.value("tailspan_probe_up", "probe", "p", "backend", "b") != 0 || f.value("tailspan_probe_up", "probe", "q", "backend", "b") != 1 {
		t.Error(f["tailspan_probe_up"])
	}
	if log.Len() > 0 {
		t.Error(log.String())
	}
}
