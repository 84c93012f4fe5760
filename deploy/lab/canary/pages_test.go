package canary

import (
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// fetch adds every page of a live tailspan.
func (s *stage) fetch(t *testing.T, o *outputs, l *live) {
	t.Helper()
	asked := url.QueryEscape(s.special("%s: asked of /trace", l.name).Text())
	topic := s.topic.Text()
	for _, p := range []struct{ path, accept, must string }{
		{"/metrics", "text/plain;version=0.0.4", topic},
		{"/metrics", "application/openmetrics-text;version=1.0.0", topic},
		{"/metrics", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", topic},
		{"/", "text/html", ""}, {"/healthz", "*/*", ""}, {"/debug/pprof/", "*/*", ""}, {"/nothing", "*/*", ""},
		{"/trace?topic=" + topic + "&partition=0&offset=3", "text/html", ""},
		{"/trace?topic=" + topic + "&partition=0&offset=3", "application/json", ""},
		{"/trace?topic=" + topic + "&partition=0&offset=999999", "application/json", ""},
		{"/trace?topic=" + topic + "&partition=x&offset=-1", "text/html", ""},
		{"/trace?topic=" + asked + "&partition=0&offset=3", "text/html", ""},
		{"/trace?topic=" + asked + "&partition=0&offset=3", "application/json", ""},
		{"/trace", "text/html", ""},
	} {
		o.add(output{name: l.name + " " + p.accept + " of " + p.path, bytes: s.get(t, "http://"+l.address+p.path, p.accept), must: p.must})
	}
}

// get is a response, with its header.
func (s *stage) get(t *testing.T, url, accept string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	c := http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := c.Do(r)
	if err != nil {
		t.Errorf("get %s: %v", url, err)
		return nil
	}
	defer a.Body.Close()
	var out strings.Builder
	_ = a.Header.Write(&out) // into memory
	if _, err := io.Copy(&out, a.Body); err != nil {
		t.Errorf("get %s: %v", url, err)
	}
	return []byte(out.String())
}

// examine adds what doctor says.
func (s *stage) examine(t *testing.T, o *outputs) {
	t.Helper()
	var wg sync.WaitGroup
	for _, args := range [][]string{{"doctor"}, {"doctor", "--json"}} {
		wg.Go(func() {
			out, err := child.Guard(exec.CommandContext(t.Context(), s.Bin, args...)).CombinedOutput()
			if len(out) == 0 {
				t.Errorf("%q: %v", args, err)
			}
			o.add(output{name: strings.Join(args, " "), bytes: out, must: "broker"})
		})
	}
	wg.Wait()
}
