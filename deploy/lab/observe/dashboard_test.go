package observe

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

const columns = 24

func tailspanDashboard(t *testing.T) *dashboard {
	t.Helper()
	d, err := readDashboard(deployed(t, "grafana", "tailspan.json"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboard: what Grafana would make of it without data.
func TestDashboard(t *testing.T) {
	d := tailspanDashboard(t)
	if d.UID == "" || d.Title == "" || len(d.Panels) < 20 {
		t.Errorf("uid %q, title %q, %d panels", d.UID, d.Title, len(d.Panels))
	}
	ids, titles := map[int]bool{}, map[string]bool{}
	for _, p := range d.Panels {
		if p.ID == 0 || ids[p.ID] {
			t.Errorf("%q has id %d, as another has", p.Title, p.ID)
		}
		if p.Title == "" || titles[p.Title] {
			t.Errorf("title %q twice", p.Title)
		}
		ids[p.ID], titles[p.Title] = true, true
		checkPanel(t, d, &p)
	}
	checkGrid(t, d.Panels)
}

func checkPanel(t *testing.T, d *dashboard, p *panel) {
	t.Helper()
	if p.Type == "row" {
		if len(p.Panels) > 0 {
			t.Errorf("row %q hides panels", p.Title)
		}
		return
	}
	if p.Description == "" || len(p.Targets) == 0 {
		t.Errorf("%q says nothing, or asks nothing", p.Title)
	}
	refs := map[string]bool{}
	for _, q := range p.Targets {
		if q.RefID == "" || refs[q.RefID] || q.Expr == "" {
			t.Errorf("%q: query %q is empty, or there twice", p.Title, q.RefID)
		}
		refs[q.RefID] = true
		for _, name := range variables(q.Expr) {
			known := slices.ContainsFunc(d.Templating.List, func(v variable) bool { return v.Name == name })
			if _, builtin := (window{}).builtins()[name]; !known && !builtin {
				t.Errorf("%q: there is no $%s", p.Title, name)
			}
		}
		if len(metricsOf(q.Expr)) == 0 {
			t.Errorf("%q: %s reads nothing", p.Title, q.Expr)
		}
	}
}

// checkGrid: no two panels at the same place, none beyond the edge.
func checkGrid(t *testing.T, all []panel) {
	t.Helper()
	taken := map[[2]int]string{}
	for _, p := range all {
		g := p.Grid
		if g.W <= 0 || g.H <= 0 || g.X < 0 || g.X+g.W > columns {
			t.Errorf("%q is at %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%q covers %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// TestDashboardDatasource: nothing in it names a data source but by the variable.
func TestDashboardDatasource(t *testing.T) {
	var all any
	if err := json.Unmarshal([]byte(read(t, deployed(t, "grafana", "tailspan.json"))), &all); err != nil {
		t.Fatal(err)
	}
	found := 0
	walk(all, func(object map[string]any) {
		source, ok := object["datasource"].(map[string]any)
		if !ok {
			if name, isText := object["datasource"].(string); isText {
				t.Errorf("data source %q by name", name)
			}
			return
		}
		found++
		if uid := fmt.Sprint(source["uid"]); uid != "${datasource}" && uid != "-- Grafana --" {
			t.Errorf("data source %v", source)
		}
	})
	if found < 20 {
		t.Errorf("%d data sources", found)
	}
	d := tailspanDashboard(t)
	for _, want := range []string{"datasource", "instance", "broker", "topic"} {
		if !slices.ContainsFunc(d.Templating.List, func(v variable) bool { return v.Name == want }) {
			t.Errorf("no variable %q", want)
		}
	}
	if d.Templating.List[0].Type != "datasource" {
		t.Error("the data source is no variable, or not the first one")
	}
}

func walk(node any, object func(map[string]any)) {
	switch v := node.(type) {
	case map[string]any:
		object(v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(v[key], object)
		}
	case []any:
		for _, e := range v {
			walk(e, object)
		}
	}
}

// TestDatasourceOpensTraces: the provisioned Prometheus leads from the exemplars'
// label to a backend that is provisioned, too.
func TestDatasourceOpensTraces(t *testing.T) {
	text := read(t, deployed(t, "grafana", "datasource.yaml"))
	_, destinations, ok := strings.Cut(text, "exemplarTraceIdDestinations:")
	if !ok {
		t.Fatal("no destinations")
	}
	for _, uid := range []string{"tempo", "jaeger"} {
		if !strings.Contains(destinations, "- name: trace_id\n          datasourceUid: "+uid+"\n") || !strings.Contains(text, "    uid: "+uid+"\n") {
			t.Errorf("no way to %s", uid)
		}
	}
}

func TestSubstitute(t *testing.T) {
	values := window{Range: time.Hour, Interval: 10 * time.Second, Scrape: 15 * time.Second}.builtins()
	values["broker"], values["topic"] = chosen("1", "2"), chosen("a.b")
	for text, want := range map[string]string{
		`x{b=~"$broker"}[$__rate_interval]`: `x{b=~"(1|2)"}[60000ms]`,
		`x{t=~"${topic:regex}"}[$__range]`:  `x{t=~"a\\.b"}[3600000ms]`,
		`[[broker]] ${broker} $other`:       `(1|2) (1|2) $other`,
	} {
		if got := substitute(text, values); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := (window{Interval: 90 * time.Second, Scrape: 15 * time.Second}).builtins()["__rate_interval"]; got != "105000ms" {
		t.Errorf("rate interval %s", got)
	}
}

func TestMetrics(t *testing.T) {
	got := metricsOf(`sum by (le) (rate(tailspan_a_seconds_bucket{x="tailspan_no"}[5m])) or tailspan_a_seconds / on (go) process_b and up`)
	if want := []string{"tailspan_a_seconds", "process_b"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
