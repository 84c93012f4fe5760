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
	t.Run("page", s.checkPage)
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
