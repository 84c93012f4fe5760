package observe

import (
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/prometheus"
)

// checkRules: each is evaluated, recording rules give data, and nothing is said
// to be wrong with Tailspan.
func (s *stage) checkRules(t *testing.T) {
	for name, p := range map[string]*prometheus.Server{"native": s.native, "classic": s.classic} {
		rules, err := p.Rules(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		recorded := 0
		for _, r := range rules {
			if r.Health != "ok" {
				t.Errorf("%s: %s: %s %s", name, r.Name, r.Health, r.Error)
			}
			if r.Type == "alerting" {
				if r.State == "firing" {
					s.explain(t, name, r.Name)
				}
				continue
			}
			recorded++
			got, err := p.Instant(t.Context(), r.Name, time.Now())
			if err != nil || len(got) == 0 || !got[0].Number() {
				t.Errorf("%s: %s: %v, %v", name, r.Name, got, err)
			}
		}
		t.Logf("%s: %d rules, %d of them recording", name, len(rules), recorded)
	}
}

// deserved are the alerts of which the story of the demo is what they are for, and
// one that a busy machine deserves: the log says what it was.
var deserved = []string{"TailspanSlowRequestsFast", "TailspanSlowRequestsSlow", "TailspanRootCause", "TailspanCommitSlow", "TailspanCommitStalled", "TailspanRingLosses"}

func (s *stage) explain(t *testing.T, server, alert string) {
	t.Helper()
	if !slices.Contains(deserved, alert) {
		t.Errorf("%s: %s is firing", server, alert)
		return
	}
	t.Logf("%s: %s is firing", server, alert)
}

// checkAccount: at every scrape nothing is missing.
func (s *stage) checkAccount(t *testing.T) {
	const missing = `tailspan_requests_seen_total - tailspan_requests_exported_total - tailspan_requests_sampled_out_total
		- tailspan_requests_pending - on (instance) (sum by (instance) (tailspan_requests_dropped_total))`
	for name, p := range map[string]*prometheus.Server{"native": s.native, "classic": s.classic} {
		got, err := p.Range(t.Context(), missing, s.began, time.Now(), scrapeEvery)
		if err != nil || len(got) != 1 || len(got[0].Points) < int(watchFor/scrapeEvery)/2 {
			t.Errorf("%s: %d series, %v", name, len(got), err)
			continue
		}
		for _, at := range got[0].Points {
			if at.Value != 0 {
				t.Errorf("%s: %v requests are missing at %s", name, at.Value, at.At)
			}
		}
	}
}

// checkHistograms: native and classic ones count the same, once the load has ended,
// and so many as there were requests.
func (s *stage) checkHistograms(t *testing.T) {
	if err := s.StopLoad(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(settle)
	for _, metric := range []string{"tailspan_produce_duration_seconds", "tailspan_write_duration_seconds", "tailspan_ext4_dirty_inode_duration_seconds",
		"tailspan_monitor_wait_duration_seconds", "tailspan_request_queue_duration_seconds"} {
		h, err := s.native.Instant(t.Context(), metric, time.Now())
		if err != nil || len(h) == 0 || len(h[0].Histograms) == 0 || h[0].Histograms[0].Buckets < 5 {
			t.Errorf("%s is no native histogram: %v, %v", metric, h, err)
		}
		native := s.one(t, s.native, "sum (histogram_count("+metric+"))")
		classic := s.one(t, s.classic, "sum ("+metric+"_count)")
		last := s.one(t, s.classic, "sum ("+metric+`_bucket{le="+Inf"})`)
		if native != classic || native != last || native == 0 {
			t.Errorf("%s: %v as a native histogram, %v as a classic one, %v in its buckets", metric, native, classic, last)
		}
		t.Logf("%s: %v", metric, native)
	}
	produced, seen := s.one(t, s.native, "sum (histogram_count(tailspan_produce_duration_seconds))"), s.one(t, s.native, "tailspan_requests_seen_total")
	if produced > seen || produced < seen-unanswered {
		t.Errorf("%v requests timed, %v seen", produced, seen)
	}
}

const (
	settle     = 15 * time.Second // what links may make a request wait for, and two scrapes
	unanswered = 10               // requests: what was under way when Tailspan came, or the load ended
)

// one is the only number of an answer.
func (s *stage) one(t *testing.T, p *prometheus.Server, expr string) float64 {
	t.Helper()
	got, err := p.Instant(t.Context(), expr, time.Now())
	if err != nil || len(got) != 1 || len(got[0].Points) != 1 {
		t.Errorf("%s: %v, %v", expr, got, err)
		return -1
	}
	return got[0].Points[0].Value
}
