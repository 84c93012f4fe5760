package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// started is a server on a loopback port.
func started(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

var client = &http.Client{
	Timeout:       10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func ask(t *testing.T, s *Server, path string, change func(*http.Request)) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

func TestStartAndShutdown(t *testing.T) {
	s, err := Start(Options{Addr: "127.0.0.1:0", Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(100 * time.Millisecond)
		io.WriteString(w, "up 1\n")
	})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Options{Addr: s.Addr().String()}); !errors.Is(err, ErrInUse) {
		t.Error(err)
	}
	if _, err := Start(Options{Addr: "127.0.0.1:70000"}); err == nil || errors.Is(err, ErrInUse) {
		t.Error(err)
	}
	if _, err := Start(Options{Addr: "127.0.0.1:0", TraceURL: "ftp://{trace_id}"}); err == nil {
		t.Error("a template without a host")
	}
	// What is under way is answered, and nothing after it.
	got := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		resp, err := client.Get("http://" + s.Addr().String() + "/metrics")
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		got <- err
	}()
	<-begun
	time.Sleep(30 * time.Millisecond)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

// TestShutdownInTime: a request that does not end is cut off.
func TestShutdownInTime(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	s, err := Start(Options{Addr: "127.0.0.1:0", Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	})})
	if err != nil {
		t.Fatal(err)
	}
	go client.Get("http://" + s.Addr().String() + "/metrics") //nolint:errcheck,bodyclose // it is cut off
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestPaths(t *testing.T) {
	hostile := `<script>alert("x")</script>`
	s := started(t, Options{Version: "v1.2.3" + hostile,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "up 1\n") }),
		Brokers: func() []Broker {
			return []Broker{{PID: 77, Node: 3, Cluster: "c" + hostile, LogDirs: []string{"/logs/a"}}}
		},
	})
	index := ask(t, s, "/", nil)
	for _, want := range []string{"v1.2.3", `href="/metrics"`, `href="/healthz"`, "<td>3</td>", "/logs/a", "<td>77</td>"} {
		if !strings.Contains(index.body, want) {
			t.Errorf("no %s in the index", want)
		}
	}
	if index.status != 200 || strings.Contains(index.body, hostile) || !strings.HasPrefix(index.header.Get("Content-Type"), "text/html") {
		t.Errorf("%+v", index)
	}
	if m := ask(t, s, "/metrics", nil); m.status != 200 || m.body != "up 1\n" {
		t.Errorf("%+v", m)
	}
	for _, path := range []string{"/nothing", "/metrics/x", "/trace/x", "/debug/pprof/", "/favicon.ico"} {
		if r := ask(t, s, path, nil); r.status != 404 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE"} {
		if r := ask(t, s, "/metrics", func(r *http.Request) { r.Method = method }); r.status != 405 || r.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %+v", method, r)
		}
	}
	if r := ask(t, s, "/metrics", func(r *http.Request) { r.Method = "HEAD" }); r.status != 200 || r.body != "" {
		t.Errorf("HEAD: %+v", r)
	}
	r, err := http.NewRequest("GET", "http://"+s.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X", strings.Repeat("x", 24<<10))
	if resp, err := client.Do(r); err == nil { // or it is reset, for not all of it was read
		if resp.Body.Close(); resp.StatusCode != 431 {
			t.Errorf("headers of 24 KiB: %d", resp.StatusCode)
		}
	}
	if r := ask(t, s, "/", nil); r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Access-Control-Allow-Origin") != "" ||
		!strings.Contains(r.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%v", r.header)
	}
	if st := s.Stats(); st.NotFound != 5 || st.Refused != 5 {
		t.Errorf("%+v", st)
	}
}

// TestHost: on loopback a name that is not ours is not answered.
func TestHost(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		addr   string
		hosts  []string
		host   string
		status int
	}{
		{"127.0.0.1:0", nil, "evil.example", 421},
		{"127.0.0.1:0", nil, "evil.example:9464", 421},
		{"127.0.0.1:0", nil, "localhost.evil.example", 421},
		{"127.0.0.1:0", nil, "127.0.0.1.evil.example", 421},
		{"127.0.0.1:0", nil, "localhost", 200},
		{"127.0.0.1:0", nil, "LOCALHOST.:9464", 200},
		{"127.0.0.1:0", nil, "tailspan.localhost:1", 200},
		{"127.0.0.1:0", nil, "127.0.0.1", 200},
		{"127.0.0.1:0", nil, "[::1]:9464", 200},
		{"127.0.0.1:0", nil, "192.0.2.1:9464", 200}, // no name: nothing to rebind
		{"127.0.0.1:0", nil, own, 200},
		{"127.0.0.1:0", []string{"Broker1.example."}, "broker1.example:9464", 200},
		{"127.0.0.1:0", []string{"broker1.example"}, "broker2.example", 421},
		{"[::1]:0", nil, "evil.example", 421},
		{"0.0.0.0:0", nil, "broker2.example", 200},
		{"0.0.0.0:0", []string{"broker1.example"}, "broker2.example", 421},
		{"0.0.0.0:0", []string{"broker1.example"}, "192.0.2.1", 200},
	} {
		addr, err := net.ResolveTCPAddr("tcp", c.addr)
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(Options{Hosts: c.hosts}, addr) // without a socket: 0.0.0.0 is not to be listened at here
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, &http.Request{Method: "GET", Host: c.host, URL: &url.URL{Path: "/healthz"}, Header: http.Header{}})
		if got := w.Code; (got == 421) != (c.status == 421) {
			t.Errorf("at %s, told %v, asked as %s: %d", c.addr, c.hosts, c.host, got)
		}
	}
	s := started(t, Options{})
	if r := ask(t, s, "/", func(r *http.Request) { r.Host = "evil.example" }); r.status != 421 || strings.Contains(r.body, "Tailspan") {
		t.Errorf("%+v", r)
	}
}

// TestConnections: those beyond the bound wait, and are served when there is room.
func TestConnections(t *testing.T) {
	s := started(t, Options{})
	var conns []net.Conn
	for range maxConns {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	got := make(chan int, 1)
	go func() {
		resp, err := client.Get("http://" + s.Addr().String() + "/")
		if err != nil {
			got <- 0
			return
		}
		resp.Body.Close()
		got <- resp.StatusCode
	}()
	select {
	case code := <-got:
		t.Errorf("served beyond the bound: %d", code)
	case <-time.After(100 * time.Millisecond):
	}
	conns[0].Close()
	if code := <-got; code != 200 {
		t.Error(code)
	}
}

func TestHealth(t *testing.T) {
	brokers := []Broker{{PID: 7, Node: -1, Cluster: "c"}}
	up := Exporter{State: "ok", Up: true}
	for _, c := range []struct {
		name     string
		brokers  []Broker
		health   *Health
		code     int
		status   string
		problems int
	}{
		{"nothing is told", brokers, nil, 200, "ok", 0},
		{"all is well", brokers, &Health{[]Probe{{"writes", "fentry", true}}, up}, 200, "ok", 0},
		{"a probe is missing", brokers, &Health{[]Probe{{"writes", "fentry", true}, {"parks", "", false}}, up}, 200, "degraded", 1},
		{"no probe is up", brokers, &Health{[]Probe{{"writes", "", false}}, up}, 503, "failing", 2},
		{"no broker", nil, &Health{nil, up}, 503, "failing", 1},
		{"nothing gets out", brokers, &Health{[]Probe{{"parks", "", false}}, Exporter{State: "retrying", Detail: "refused"}}, 503, "failing", 3},
	} {
		o := Options{Version: "v1", Brokers: func() []Broker { return c.brokers }}
		if c.health != nil {
			o.Health = func() Health { return *c.health }
		}
		r := ask(t, started(t, o), "/healthz", nil)
		var got healthReport
		if err := json.Unmarshal([]byte(r.body), &got); err != nil {
			t.Fatal(err)
		}
		if r.status != c.code || got.Status != c.status || len(got.Problems) != c.problems || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", c.name, r.status, r.body)
		}
		if len(c.brokers) == 1 && (len(got.Brokers) != 1 || got.Brokers[0].PID != 7 || got.Brokers[0].Node != nil) {
			t.Errorf("%s: %s", c.name, r.body)
		}
	}
}

func TestTraceURL(t *testing.T) {
	for text, ok := range map[TraceURL]bool{
		"": true,
		"http://127.0.0.1:16686/trace/{trace_id}":                                             true,
		"https://grafana.example/explore?left={\"q\":\"{trace_id}\",\"from\":\"{start}000\"}": true,
		"http://tempo.example?id={trace_id}&start={start}&end={end}":                          true,
		"http://127.0.0.1:16686/trace/":                                                       false,
		"http://{trace_id}/x":                                                                 false,
		"http://h{trace_id}/x":                                                                false,
		"http://h{start}/{trace_id}":                                                          false,
		"http:///{trace_id}":                                                                  false,
		"http://u:p@h/{trace_id}":                                                             false,
		"http://u:s3cret@h:port/{trace_id}":                                                   false,
		"http://h\\{trace_id}":                                                                false,
		"//h/{trace_id}":                                                                      false,
		"/trace/{trace_id}":                                                                   false,
		"javascript:alert('{trace_id}')":                                                      false,
		"http://h/\n{trace_id}":                                                               false,
	} {
		if err := text.Check(); (err == nil) != ok || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got := TraceURL("https://h:1/x?{trace_id}").origin(); got != "https://h:1" || TraceURL("").origin() != "" {
		t.Error(got)
	}
	id := traceOf(0x1233).ID
	got := TraceURL("http://h/{trace_id}?start={start}&end={end}000").Of(id, time.Unix(-5, 0), time.Unix(100, 0))
	if want := fmt.Sprintf("http://h/%s?start=0&end=100000", id); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
}
