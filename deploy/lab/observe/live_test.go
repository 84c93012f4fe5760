package observe

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/prometheus"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// TestFromDashboardToTrace goes the whole way: broker, sidecar, Prometheus, each
// query of the dashboard, an exemplar, its trace in Jaeger.
func TestFromDashboardToTrace(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t)
	t.Run("names", s.checkNames)
	t.Run("variables", s.checkVariables)
	t.Run("native", func(t *testing.T) { s.checkQueries(t, s.native) })
	t.Run("classic", func(t *testing.T) { s.checkQueries(t, s.classic) })
	t.Run("rules", s.checkRules)
	t.Run("account", s.checkAccount)
	t.Run("histograms", s.checkHistograms)
	t.Run("exemplars/native", func(t *testing.T) { s.checkExemplars(t, s.native, "") })
	t.Run("exemplars/classic", func(t *testing.T) { s.mustFollowSlow(t, s.checkExemplars(t, s.classic, "_bucket")) })
	trial.Stop(t, s.sidecar)
}

// mayBeEmpty are the metrics of which this broker, or a Tailspan that is well,
// shows nothing, and why.
var mayBeEmpty = map[string]string{
	"tailspan_replication_wait_duration_seconds": "the broker is alone: nobody follows",
	"tailspan_park_wait_duration_seconds":        "no handler of it waits for a lock of java.util.concurrent in the middle of a request",
	"tailspan_lost_total":                        "nothing was lost",
}

// checkNames: what dashboard, rules and alerts name is on the sidecar's page.
func (s *stage) checkNames(t *testing.T) {
	there := families(page(t, s.listen))
	asked := map[string]bool{}
	for _, p := range tailspanDashboard(t).Panels {
		for _, q := range p.Targets {
			for _, name := range metricsOf(q.Expr) {
				asked[name] = true
			}
		}
	}
	for _, file := range []string{"rules.yml", "alerts.yml"} {
		for _, name := range metricsOf(read(t, deployed(t, "prometheus", file))) {
			asked[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if !there[name] && mayBeEmpty[name] == "" {
			t.Errorf("%s is not on the page", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if strings.HasPrefix(name, "tailspan_") && !asked[name] {
			t.Logf("%s is on the page, and nobody asks for it", name)
		}
	}
}

var typeLine = regexp.MustCompile(`(?m)^# TYPE (\S+) `)

func families(page string) map[string]bool {
	names := map[string]bool{}
	for _, m := range typeLine.FindAllStringSubmatch(page, -1) {
		names[m[1]] = true
	}
	return names
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// checkVariables: each has values to choose from.
func (s *stage) checkVariables(t *testing.T) {
	all := s.everything(t)
	for _, v := range tailspanDashboard(t).Templating.List {
		if v.Type != "query" {
			continue
		}
		m := labelValues.FindStringSubmatch(substitute(v.Definition, all))
		if m == nil {
			t.Errorf("%s: %s", v.Name, v.Definition)
			continue
		}
		for _, p := range []*prometheus.Server{s.native, s.classic} {
			got, err := p.Values(t.Context(), m[2], m[1])
			if err != nil || len(got) == 0 {
				t.Errorf("%s: %v, %v", v.Name, got, err)
			}
		}
	}
}

// everything are the variables' values where all is chosen.
func (s *stage) everything(t *testing.T) map[string]string {
	t.Helper()
	values := s.window().builtins()
	for _, v := range tailspanDashboard(t).Templating.List {
		if v.Type == "query" {
			values[v.Name] = v.AllValue
		}
	}
	return values
}

// some are those where this broker is chosen and its topic, beside others that
// are not there.
func (s *stage) some() map[string]string {
	values := s.window().builtins()
	values["instance"], values["broker"], values["topic"] = chosen(s.target()), chosen("1", "2"), chosen("orders", "small", "a.b")
	return values
}

// checkQueries runs every query as Grafana does, and wants data.
func (s *stage) checkQueries(t *testing.T, p *prometheus.Server) {
	queries, exempt := 0, 0
	for name, values := range map[string]map[string]string{"all": s.everything(t), "some": s.some()} {
		for _, panel := range tailspanDashboard(t).Panels {
			for _, q := range panel.Targets {
				queries++
				expr := substitute(q.Expr, values)
				got, err := s.ask(t, p, q, expr)
				switch {
				case err != nil:
					t.Errorf("%s %s (%s): %v", panel.Title, q.RefID, name, err)
				case slices.ContainsFunc(got, func(s prometheus.Series) bool { return s.Number() }):
				case slices.ContainsFunc(metricsOf(expr), func(m string) bool { return mayBeEmpty[m] != "" }):
					exempt++
				default:
					t.Errorf("%s %s (%s): no data: %d series, %s", panel.Title, q.RefID, name, len(got), expr)
				}
				if q.Exemplar {
					s.wantExemplars(t, p, panel.Title, expr)
				}
			}
		}
	}
	t.Logf("%d queries, of which %d may be empty and are", queries, exempt)
}

func (s *stage) ask(t *testing.T, p *prometheus.Server, q target, expr string) ([]prometheus.Series, error) {
	end := time.Now()
	if q.Instant {
		return p.Instant(t.Context(), expr, end)
	}
	w := s.window()
	return p.Range(t.Context(), expr, end.Add(-w.Range), end, w.Interval)
}

func (s *stage) wantExemplars(t *testing.T, p *prometheus.Server, title, expr string) {
	got, err := p.Exemplars(t.Context(), expr, s.began, time.Now())
	if err != nil {
		t.Errorf("%s: %v", title, err)
	}
	if len(got) > 0 || slices.ContainsFunc(metricsOf(expr), func(m string) bool { return mayBeEmpty[m] != "" }) {
		return
	}
	t.Errorf("%s: no exemplar", title)
}

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
