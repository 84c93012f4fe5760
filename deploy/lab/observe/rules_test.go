package observe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRules has promtool check the configuration and both files of rules, and
// run their unit tests.
func TestRules(t *testing.T) {
	p, dir := tools(t), deployed(t, "prometheus")
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"},
		{"check", "rules", "--lint=all", "--lint-fatal", "rules.yml", "alerts.yml"},
		{"test", "rules", "rules_test.yml"},
	} {
		if _, err := p.Promtool(t.Context(), dir, args...); err != nil {
			t.Error(err)
		}
	}
}

// TestRulesTestCanFail: the unit tests notice an alert that never fires.
func TestRulesTestCanFail(t *testing.T) {
	p, dir := tools(t), t.TempDir()
	for _, name := range []string{"rules.yml", "alerts.yml", "rules_test.yml"} {
		text := read(t, deployed(t, "prometheus", name))
		if name == "alerts.yml" {
			text = strings.ReplaceAll(text, "expr: tailspan_brokers == 0", "expr: tailspan_brokers < 0")
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := p.Promtool(t.Context(), dir, "test", "rules", "rules_test.yml")
	if err == nil || !strings.Contains(out, "TailspanSeesNoBroker") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestAlertsSayWhatToDo: each alert says what it means, where to look or what to
// do, and how urgent it is.
func TestAlertsSayWhatToDo(t *testing.T) {
	alerts := strings.Split(read(t, deployed(t, "prometheus", "alerts.yml")), "- alert: ")[1:]
	if len(alerts) < 10 {
		t.Errorf("%d alerts", len(alerts))
	}
	for _, a := range alerts {
		name, _, _ := strings.Cut(a, "\n")
		for _, want := range []string{"severity: ", "summary: ", "Means: ", "Do: "} {
			if !strings.Contains(a, want) {
				t.Errorf("%s has no %q", name, want)
			}
		}
	}
}
