package flood

import (
	"strings"
	"testing"
)

const scraped = `# HELP tailspan_slow_requests_total Slow.
# TYPE tailspan_slow_requests_total counter
tailspan_slow_requests_total{broker="1",topic="a\"b,{}",cause="jbd2.commit",root_cause="jbd2.commit"} 12
tailspan_slow_requests_total{broker="2",topic="a\"b,{}",cause="jbd2.commit",root_cause="jbd2.commit"} 3 1790000000000
tailspan_requests_seen_total 1.5e+06
tailspan_requests_exported_total 1000
tailspan_requests_sampled_out_total 1498000
tailspan_requests_pending 900
tailspan_requests_dropped_total{stage="export",reason="queue full"} 60
tailspan_requests_dropped_total{stage="assemble",reason="x",} 40
`

func TestMetrics(t *testing.T) {
	m, err := parseMetrics(strings.NewReader(scraped))
	if err != nil {
		t.Fatal(err)
	}
	k := Key{`a"b,{}`, "jbd2.commit", "jbd2.commit"}
	if got := m.Slow(); len(got) != 1 || got[k] != 15 {
		t.Errorf("%v", got)
	}
	a := m.Account()
	if (a != Account{1_500_000, 1000, 1_498_000, 900, 100}) || !a.Holds() {
		t.Errorf("%+v", a)
	}
	if a.Pending++; a.Holds() {
		t.Error("one too many, and it holds")
	}
	if by := m.By("tailspan_requests_dropped_total", "stage"); by["export"] != 60 || by["assemble"] != 40 {
		t.Errorf("%v", by)
	}
	for _, bad := range []string{"x", "x y", `x{a=b} 1`, `x{a="b} 1`} {
		if _, err := parseMetrics(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
