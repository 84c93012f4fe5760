package flood

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// Sample is a line of /metrics.
type Sample struct {
	Name   string
	Labels map[string]string
	Value  float64
}

// Metrics is one scrape, counters and gauges in Prometheus's text format.
type Metrics []Sample

// scrape asks once.
func scrape(ctx context.Context, addr string) (Metrics, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/plain;version=0.0.4")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("scrape: %w", err)
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("scrape: %s", a.Status)
	}
	return parseMetrics(a.Body)
}

func parseMetrics(r io.Reader) (all Metrics, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		s, err := parseSample(line)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, in.Err()
}

func parseSample(line string) (s Sample, err error) {
	end := strings.IndexAny(line, "{ ")
	if end < 0 {
		return s, fmt.Errorf("parse metrics: %q", line)
	}
	s.Name, s.Labels = line[:end], map[string]string{}
	rest := line[end:]
	for strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, ",") {
		if rest = rest[1:]; strings.HasPrefix(rest, "}") {
			break
		}
		key, quoted, found := strings.Cut(rest, "=")
		prefix, err := strconv.QuotedPrefix(quoted)
		if !found || err != nil {
			return s, fmt.Errorf("parse metrics: labels of %q", line)
		}
		s.Labels[key], _ = strconv.Unquote(prefix) // it is a quoted string
		rest = quoted[len(prefix):]
	}
	value, _, _ := strings.Cut(strings.TrimLeft(rest, "} "), " ") // a time may follow
	if s.Value, err = strconv.ParseFloat(value, 64); err != nil {
		return s, fmt.Errorf("parse metrics: value of %q: %w", line, err)
	}
	return s, nil
}

// Sum is that of all samples of a name.
func (m Metrics) Sum(name string) (sum float64) {
	for i := range m {
		if m[i].Name == name {
			sum += m[i].Value
		}
	}
	return sum
}

// By is the sums of a name's samples by one label.
func (m Metrics) By(name, label string) map[string]float64 {
	all := map[string]float64{}
	for i := range m {
		if m[i].Name == name {
			all[m[i].Labels[label]] += m[i].Value
		}
	}
	return all
}

// Slow is what was counted of slow requests.
func (m Metrics) Slow() map[Key]int {
	all := map[Key]int{}
	for i := range m {
		if l := m[i].Labels; m[i].Name == "tailspan_slow_requests_total" {
			all[Key{l["topic"], spans.Cause(l["cause"]), spans.Cause(l["root_cause"])}] += int(m[i].Value)
		}
	}
	return all
}

// Account is what became of all requests.
type Account struct {
	Seen, Exported, SampledOut, Pending, Dropped float64
}

// Account reads it.
func (m Metrics) Account() Account {
	return Account{
		Seen: m.Sum("tailspan_requests_seen_total"), Exported: m.Sum("tailspan_requests_exported_total"),
		SampledOut: m.Sum("tailspan_requests_sampled_out_total"), Pending: m.Sum("tailspan_requests_pending"),
		Dropped: m.Sum("tailspan_requests_dropped_total"),
	}
}

// Holds says whether it adds up: all is whole numbers.
func (a Account) Holds() bool { return a.Seen == a.Exported+a.SampledOut+a.Pending+a.Dropped }
