package metrics

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// What Prometheus asks for, by what it is able to read.
const (
	acceptText        = "text/plain;version=0.0.4"
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
	acceptProtobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8"
)

type families map[string]*dto.MetricFamily

func serve(t testing.TB, m *Metrics) string {
	s := httptest.NewServer(m.Handler())
	t.Cleanup(s.Close)
	return s.URL
}

func fetch(t testing.TB, url, accept string) (http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err, string(body))
	}
	return resp.Header, body
}

// scrape is a scrape over HTTP, parsed.
func scrape(t testing.TB, url, accept string) families {
	t.Helper()
	header, body := fetch(t, url, accept)
	if accept == acceptOpenMetrics {
		body = withoutExemplars.ReplaceAll(notOurs.ReplaceAll(body, nil), []byte("$1"))
	}
	all := families{}
	d := expfmt.NewDecoder(bytes.NewReader(body), expfmt.ResponseFormat(header))
	for {
		f := &dto.MetricFamily{}
		err := d.Decode(f)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err, string(body))
		}
		all[f.GetName()] = f
	}
}

// OpenMetrics becomes a text that expfmt can read: without exemplars, and without
// Go's own counters, some of which are called like gauges there.
var (
	withoutExemplars = regexp.MustCompile(`(?m)^([^#\n].*?) # \{.*$`)
	notOurs          = regexp.MustCompile(`(?m)^(# [A-Z]+ )?go_.*\n`)
)

// get is the one metric with these labels: name, value, name, value, …
func (f families) get(name string, labels ...string) *dto.Metric {
	for _, m := range f[name].GetMetric() {
		if matches(m, labels) {
			return m
		}
	}
	return nil
}

func matches(m *dto.Metric, labels []string) bool {
	if len(m.Label)*2 != len(labels) {
		return false
	}
	for i := 0; i < len(labels); i += 2 {
		found := false
		for _, l := range m.Label {
			found = found || l.GetName() == labels[i] && l.GetValue() == labels[i+1]
		}
		if !found {
			return false
		}
	}
	return true
}

// value is that of a counter or a gauge, -1 without one.
func (f families) value(name string, labels ...string) float64 {
	m := f.get(name, labels...)
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	case m.GetUntyped() != nil: // OpenMetrics has the counter's type at another name
		return m.GetUntyped().GetValue()
	}
	return -1
}

// labelValues are those of one label of all metrics of a name.
func (f families) labelValues(name, label string) map[string]int {
	n := map[string]int{}
	for _, m := range f[name].GetMetric() {
		for _, l := range m.Label {
			if l.GetName() == label {
				n[l.GetValue()]++
			}
		}
	}
	return n
}

func TestEachFormat(t *testing.T) {
	m := New(Options{Version: "v1"})
	full(m)
	url := serve(t, m)
	for accept, format := range map[string]expfmt.FormatType{
		acceptText: expfmt.TypeTextPlain, acceptOpenMetrics: expfmt.TypeOpenMetrics, acceptProtobuf: expfmt.TypeProtoDelim,
	} {
		header, body := fetch(t, url, accept)
		if got := expfmt.Format(header.Get("Content-Type")).FormatType(); got != format {
			t.Errorf("%s: answered with %s", accept, header.Get("Content-Type"))
		}
		if accept == acceptOpenMetrics && !strings.HasSuffix(string(body), "# EOF\n") {
			t.Error("OpenMetrics has no end")
		}
		all := scrape(t, url, accept)
		h := all.get("tailspan_write_duration_seconds", "broker", "1").GetHistogram()
		if h.GetSampleCount() != 1 || len(h.Bucket) == 0 {
			t.Errorf("%s: %v", accept, h)
		}
		if native := h.Schema != nil; native != (accept == acceptProtobuf) {
			t.Errorf("%s: native buckets: %v", accept, native)
		}
		for name := range all {
			if !model.LegacyValidation.IsValidMetricName(name) {
				t.Errorf("name %q", name)
			}
		}
	}
}
