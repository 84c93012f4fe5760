package observe

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/pages"
)

// checkPage opens the sidecar's own page in a browser: it draws itself by what its
// server's policy allows, and has the requests that the metrics count.
func (s *stage) checkPage(t *testing.T) {
	url := "http://" + s.listen + "/report"
	resp, err := http.Head(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if p := resp.Header.Get("Content-Security-Policy"); resp.StatusCode != http.StatusOK || !strings.Contains(p, "script-src 'sha256-") || strings.Contains(p, "unsafe") {
		t.Errorf("%s, policy %q", resp.Status, p)
	}
	b, err := pages.Start(context.Background(), filepath.Join(s.Dir, "browser"))
	if errors.Is(err, pages.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	tab, err := b.Tab(context.Background(), 1280, 900)
	if err != nil {
		t.Fatal(err)
	}
	took, err := tab.GoTo(url)
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Requests, Slow, Traces, Incidents, Pictures int
		Name                                        string
	}
	if err := tab.Eval(`(() => { const d = JSON.parse(document.getElementById('data').textContent); return {
		requests: d.requests.count + d.unanswered, slow: d.slow.count, traces: d.traces.length, incidents: d.incidents.length,
		pictures: document.querySelectorAll('canvas').length, name: document.querySelector('h1').innerText }; })()`, &shown); err != nil {
		t.Fatal(err)
	}
	t.Logf("in %v: %+v", took.Round(time.Millisecond), shown)
	counted := int(s.one(t, s.native, "sum (histogram_count(tailspan_produce_duration_seconds))"))
	began := time.Now().UTC().Truncate(time.Hour)
	if whole := s.began.After(began); whole && (shown.Requests < counted || shown.Requests > counted+unanswered) {
		t.Errorf("%d requests on the page, %d counted", shown.Requests, counted)
	} else if whole && (shown.Slow == 0 || shown.Traces == 0 || shown.Incidents == 0) {
		t.Errorf("on the page: %+v", shown)
	}
	if shown.Pictures == 0 || !strings.Contains(shown.Name, "live, since ") {
		t.Errorf("on the page: %+v", shown)
	}
	if all := tab.Errors(); len(all) > 0 {
		t.Errorf("errors in the page: %q", all)
	}
}
