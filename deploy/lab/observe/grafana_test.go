package observe

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// dashboard is what matters here of Grafana's JSON.
type dashboard struct {
	UID        string `json:"uid"`
	Title      string `json:"title"`
	Templating struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

// variable is a template variable.
type variable struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"` // datasource | query
	Definition string          `json:"definition"`
	AllValue   string          `json:"allValue"`
	Query      json.RawMessage `json:"query"`
}

// panel is a panel, or the title of a row.
type panel struct {
	ID          int      `json:"id"`
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Grid        grid     `json:"gridPos"`
	Targets     []target `json:"targets"`
	Panels      []panel  `json:"panels"`
}

// grid is where a panel is, of 24 columns.
type grid struct{ H, W, X, Y int }

// target is a query of a panel.
type target struct {
	RefID    string `json:"refId"`
	Expr     string `json:"expr"`
	Format   string `json:"format"`
	Instant  bool   `json:"instant"`
	Exemplar bool   `json:"exemplar"`
}

// readDashboard reads a file.
func readDashboard(path string) (*dashboard, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read dashboard: %w", err)
	}
	var d dashboard
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fmt.Errorf("read dashboard: %w", err)
	}
	return &d, nil
}

// window is the time that a dashboard shows, as far as queries depend on it.
type window struct {
	Range, Interval, Scrape time.Duration
}

// builtins are Grafana's own variables for it. $__rate_interval is what its data
// source makes of them: an interval and a scrape, and never less than four scrapes.
func (w window) builtins() map[string]string {
	return map[string]string{
		"__range":         promDuration(w.Range),
		"__interval":      promDuration(w.Interval),
		"__rate_interval": promDuration(max(w.Interval+w.Scrape, 4*w.Scrape)),
	}
}

func promDuration(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

var variableIn = regexp.MustCompile(`\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]`)

// substitute puts the values of variables in their place, as Grafana does for
// Prometheus; what is not known stays.
func substitute(text string, values map[string]string) string {
	return variableIn.ReplaceAllStringFunc(text, func(ref string) string {
		if v, ok := values[variableName(ref)]; ok {
			return v
		}
		return ref
	})
}

func variableName(ref string) string {
	m := variableIn.FindStringSubmatch(ref)
	return m[1] + m[2] + m[3]
}

// variables are those that a text refers to.
func variables(text string) (names []string) {
	for _, ref := range variableIn.FindAllString(text, -1) {
		names = append(names, variableName(ref))
	}
	return names
}

// chosen is the value of a variable of which several may be chosen.
func chosen(values ...string) string {
	if len(values) == 1 {
		return escape(values[0])
	}
	escaped := make([]string, len(values))
	for i, v := range values {
		escaped[i] = escape(v)
	}
	return "(" + strings.Join(escaped, "|") + ")"
}

// escape is for a regular expression within a string: both count backslashes.
func escape(v string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(v), `\`, `\\`)
}

var (
	quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	identifier = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	ofSeries   = regexp.MustCompile(`_(bucket|sum|count)$`)
	isMetric   = regexp.MustCompile(`^(tailspan|process|go)_`)
)

// metricsOf are the families that a query reads.
func metricsOf(expr string) (names []string) {
	for _, word := range identifier.FindAllString(quoted.ReplaceAllString(expr, `""`), -1) {
		name := ofSeries.ReplaceAllString(word, "")
		if isMetric.MatchString(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
