package prometheus

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/listeners"
)

const exposition = `# TYPE requests counter
requests_total{broker="1"} 5.0 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 0.25 %d
# EOF
`

func tools(t *testing.T) Tools {
	t.Helper()
	tools, err := Find()
	if err != nil {
		t.Skip(err)
	}
	return tools
}

// TestServer scrapes a page with an exemplar, and asks for all of it.
func TestServer(t *testing.T) {
	bin := tools(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0")
		fmt.Fprintf(w, exposition, time.Now().Unix())
	}))
	defer page.Close()
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 200ms}\nscrape_configs: [{job_name: it, static_configs: [{targets: [%q]}]}]\n",
		strings.TrimPrefix(page.URL, "http://"))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := bin.Start(t.Context(), Options{Dir: t.TempDir(), Config: config})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}()
	addrs, err := listeners.Of(s.PID())
	if err != nil || len(addrs) == 0 {
		t.Fatalf("listens on %v, %v", addrs, err)
	}
	for _, a := range addrs {
		if !a.Addr().IsLoopback() {
			t.Errorf("listens on %s", a)
		}
	}
	ask(t, s.Client)
}

func ask(t *testing.T, c Client) {
	t.Helper()
	var got []Series
	var err error
	for end := time.Now().Add(10 * time.Second); len(got) == 0 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if got, err = c.Instant(t.Context(), "requests_total", time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 1 || len(got[0].Points) != 1 || got[0].Points[0].Value != 5 || got[0].Labels["broker"] != "1" || !got[0].Number() {
		t.Errorf("got %+v", got)
	}
	now := time.Now()
	if got, err = c.Range(t.Context(), "requests_total", now.Add(-10*time.Second), now, 100*time.Millisecond); err != nil || len(got) != 1 || len(got[0].Points) == 0 {
		t.Errorf("a range gave %+v, %v", got, err)
	}
	ex, err := c.Exemplars(t.Context(), `rate(requests_total[1m])`, now.Add(-time.Minute), now)
	if err != nil || len(ex) != 1 || len(ex[0].Exemplars) == 0 {
		t.Fatalf("exemplars %+v, %v", ex, err)
	}
	if e := ex[0].Exemplars[0]; e.Value != 0.25 || e.Labels["trace_id"] != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("exemplar %+v", e)
	}
	if v, err := c.Values(t.Context(), "broker", "requests_total"); err != nil || len(v) != 1 || v[0] != "1" {
		t.Errorf("values %v, %v", v, err)
	}
	if _, err := c.Instant(t.Context(), "rate(requests_total)", now); err == nil {
		t.Error("a query that is none was answered")
	}
}

func TestParseResult(t *testing.T) {
	for _, c := range []struct {
		name, kind, text string
		number           bool
		buckets          int
	}{
		{"vector", "vector", `[{"metric":{},"value":[1.5,"2"]}]`, true, 0},
		{"gap", "matrix", `[{"metric":{},"values":[[1,"NaN"],[2,"NaN"]]}]`, false, 0},
		{"native", "matrix", `[{"metric":{},"histograms":[[1,{"count":"3","sum":"1","buckets":[[0,"1","2","3"]]}]]}]`, true, 1},
		{"scalar", "scalar", `[1,"7"]`, true, 0},
	} {
		got, err := parseResult(c.kind, []byte(c.text))
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		if got[0].Number() != c.number {
			t.Errorf("%s: a number: %v, want %v", c.name, got[0].Number(), c.number)
		}
		if h := got[0].Histograms; c.buckets > 0 && (len(h) != 1 || h[0].Buckets != c.buckets || h[0].Count != 3) {
			t.Errorf("%s: %+v", c.name, h)
		}
	}
	if _, err := parseResult("string", []byte(`"x"`)); err == nil {
		t.Error("a type that nobody knows was read")
	}
}
