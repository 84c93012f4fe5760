package sidecar

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/metrics"
)

// While a recording is replayed, scrapes and lookups come from all sides: in
// every one of them all requests are accounted for, whatever takes the traces.
func TestScrapesAddUp(t *testing.T) {
	path := unpack(t)
	for name, x := range map[string]struct {
		code   int // of the collector; 0: nothing is exported
		change func(*config.Config)
	}{
		"delivered":          {200, func(c *config.Config) { c.SLO = 0 }},
		"within a budget":    {200, func(c *config.Config) { c.SLO, c.MaxSpansRate, c.KeepSlowest = 0, 200, 3 }},
		"refused":            {400, func(c *config.Config) { c.SLO = 0 }},
		"left on disk":       {503, func(c *config.Config) { c.SLO, c.QueueDir, c.QueueDirBytes = 0, t.TempDir(), 1<<20 }},
		"undelivered":        {503, func(c *config.Config) { c.SLO, c.AdoptParent, c.TraceContext = 0, true, true }},
		"nobody takes them":  {0, func(*config.Config) {}},
		"printed, only":      {0, func(c *config.Config) { c.Print = "traces" }},
		"printed and export": {200, func(c *config.Config) { c.Print, c.KeepShare = "traces", 0.5 }},
	} {
		t.Run(name, func(t *testing.T) {
			c := config.Config{Print: "none", Format: "jsonl", SLO: 65 * time.Millisecond, KeepErrors: true, MaxTopics: 100,
				Listen: "127.0.0.1:0", ListenAsked: true, TraceURL: "http://localhost:16686/trace/{trace_id}"}
			x.change(&c)
			if x.code != 0 {
				collector(t, x.code)
			}
			log := &watchedLog{url: make(chan string, 1)}
			s, err := New(Options{Config: c, Stdout: io.Discard, Version: "test", Export: x.code != 0,
				Logger: slog.New(slog.NewTextHandler(log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			var n atomic.Int64
			done, all := make(chan struct{}), sync.WaitGroup{}
			all.Go(func() {
				url := <-log.url
				for range 8 {
					all.Go(func() { askAll(t, url, done, &n) })
				}
			})
			if err := s.Replay(context.Background(), path); err != nil {
				t.Error(err)
			}
			close(done)
			all.Wait()
			if n.Load() == 0 {
				t.Error("no scrape came through")
			}
			t.Logf("%d scrapes", n.Load())
			x := s.metricsAccount(sources{s.lost, func() []metrics.Probe { return nil }})
			sum := x.Exported + x.SampledOut + x.Pending
			for _, n := range x.Dropped {
				sum += n
			}
			if sum != x.Seen || x.Seen == 0 {
				t.Errorf("at the end: %+v", x)
			}
			if c.QueueDir == "" && x.Pending != 0 {
				t.Errorf("%d pending at the end", x.Pending)
			}
			if text := log.String(); strings.Contains(text, "add up") {
				t.Error(text)
			}
		})
	}
}

// collector answers all that is exported with a code.
func collector(t *testing.T, code int) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(code)
	}))
	t.Cleanup(s.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
}

// askAll scrapes and looks up until done is closed or the server is gone.
func askAll(t *testing.T, url string, done <-chan struct{}, n *atomic.Int64) {
	for {
		select {
		case <-done:
			return
		default:
		}
		body, err := ask(url + "/metrics")
		if err != nil {
			return // it was shut down
		}
		if x, ok := accountOf(t, body); ok {
			n.Add(1)
			if x.seen != x.became {
				t.Errorf("%v seen, %v accounted for", x.seen, x.became)
			}
		}
		for _, path := range []string{"/trace?topic=orders&partition=0&offset=1&format=json", "/healthz", "/", "/report", "/report/before"} {
			if _, err := ask(url + path); err != nil {
				return
			}
		}
	}
}

func ask(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// scraped is what a scrape says became of all requests.
type scraped struct{ seen, became float64 }

func accountOf(t *testing.T, body []byte) (x scraped, ok bool) {
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return x, false // cut off, or told to come again
	}
	for name, f := range families {
		for _, m := range f.Metric {
			switch name {
			case "tailspan_requests_seen_total":
				x.seen, ok = m.GetCounter().GetValue(), true
			case "tailspan_requests_exported_total", "tailspan_requests_sampled_out_total", "tailspan_requests_dropped_total", "tailspan_requests_pending":
				x.became += valueOf(m)
			}
		}
	}
	return x, ok
}

func valueOf(m *dto.Metric) float64 {
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}

// watchedLog is a log that tells where it is served.
type watchedLog struct {
	mu   sync.Mutex
	text strings.Builder
	url  chan string
}

var servedAt = regexp.MustCompile(`url=(http://\S+)`)

func (l *watchedLog) Write(b []byte) (int, error) {
	if at := servedAt.FindSubmatch(b); at != nil {
		l.url <- string(at[1])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *watchedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
