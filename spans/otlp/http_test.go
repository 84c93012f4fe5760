package otlp

import (
	"compress/gzip"
	"crypto/tls"
	"encoding/base64"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
)

// web is a real OTLP/HTTP server on loopback whose answers a test chooses.
type web struct {
	url string

	mu       sync.Mutex
	answer   http.HandlerFunc // nil: success
	requests []*http.Request  // accepted ones
	got      map[string]int   // spans by trace id
	times    []time.Time      // of all requests
}

// serve starts a server; with a certificate it speaks TLS.
func serve(t *testing.T, config *tls.Config) *web {
	t.Helper()
	w := &web{got: map[string]int{}}
	s := httptest.NewUnstartedServer(w)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if s.TLS = config; config != nil {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

func (w *web) answers(f http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = f
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times = append(w.times, time.Now())
	if w.answer != nil {
		w.answer(rw, r)
		return
	}
	req, err := readRequest(r)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.requests = append(w.requests, r)
	for _, rs := range req.ResourceSpans {
		for _, s := range rs.ScopeSpans[0].Spans {
			w.got[string(s.TraceId)]++
		}
	}
	writeProto(rw, http.StatusOK, &collectorpb.ExportTraceServiceResponse{})
}

func readRequest(r *http.Request) (*collectorpb.ExportTraceServiceRequest, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	var req collectorpb.ExportTraceServiceRequest
	return &req, proto.Unmarshal(b, &req)
}

func writeProto(rw http.ResponseWriter, code int, m proto.Message) {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	rw.Header().Set("Content-Type", contentType)
	rw.WriteHeader(code)
	_, _ = rw.Write(b)
}

func toHTTP(t *testing.T) { t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf") }

func TestOverHTTP(t *testing.T) {
	for _, compression := range []string{"", "gzip"} {
		t.Run("compression "+compression, func(t *testing.T) {
			w := serve(t, nil)
			toHTTP(t)
			t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
			t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20eHl6")
			e, log := connect(t, strings.TrimPrefix(w.url, "http://"), Options{Version: "1.2"})
			const n = 500
			for i := range n {
				e.Export(fiveSpans(i))
			}
			if err := flush(e, 10*time.Second); err != nil {
				t.Fatal(err)
			}
			s := e.Stats()
			balanced(t, s)
			if len(w.got) != n || s.Exported != (Count{Traces: n, Spans: 5 * n}) || log.String() != "" {
				t.Errorf("%d arrived, %+v\n%s", len(w.got), s, log)
			}
			r := w.requests[0]
			if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != contentType ||
				r.Header.Get("Authorization") != "Basic eHl6" || r.UserAgent() != "tailspan/1.2" || r.Header.Get("Content-Encoding") != compression {
				t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
			}
		})
	}
}

// What a URL says besides host and path is part of where to send.
func TestURLAsItIs(t *testing.T) {
	w := serve(t, nil)
	toHTTP(t)
	e, _ := connect(t, "x", Options{})
	flush(e, 0)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", strings.Replace(w.url, "//", "//me:secret@", 1)+"/in?token=t")
	e, _ = connect(t, "x", Options{})
	e.Export(fiveSpans(1))
	if err := flush(e, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	r := w.requests[0]
	if r.URL.String() != "/in?token=t" || r.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("me:secret")) {
		t.Errorf("%s %v", r.URL, r.Header)
	}
}

// TestAnswersOverHTTP gives an answer once, or always, and then looks at what
// became of ten traces.
func TestAnswersOverHTTP(t *testing.T) {
	text := func(code int, body string, headers ...string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				rw.Header().Set(headers[i], headers[i+1])
			}
			rw.WriteHeader(code)
			_, _ = io.WriteString(rw, body)
		}
	}
	message := func(code int, m proto.Message) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) { writeProto(rw, code, m) }
	}
	partial := &collectorpb.ExportTraceServiceResponse{PartialSuccess: &collectorpb.ExportTracePartialSuccess{RejectedSpans: 7, ErrorMessage: "too old"}}
	for _, c := range []struct {
		name               string
		answer             http.HandlerFunc
		exported, rejected Count
		undelivered        uint64
		failures           uint64
		logged             string
	}{
		{"empty", text(200, ""), Count{Traces: 10, Spans: 50}, Count{}, 0, 0, ""},
		{"202", text(202, ""), Count{Traces: 10, Spans: 50}, Count{}, 0, 0, ""},
		{"partial", message(200, partial), Count{Traces: 10, Spans: 43}, Count{Traces: 0, Spans: 7}, 0, 0, "too old"},
		{"somebody else's", text(200, "<html>", "Content-Type", "text/html"), Count{Traces: 10, Spans: 50}, Count{}, 0, 0, "not OTLP's"},
		{"400", message(400, &statuspb.Status{Message: "no such thing"}), Count{}, Count{Traces: 10, Spans: 50}, 0, 1, "no such thing"},
		{"401", text(401, "who?", "Content-Type", "text/plain; charset=utf-8"), Count{}, Count{Traces: 10, Spans: 50}, 0, 1, "OTEL_EXPORTER_OTLP_HEADERS"},
		{"404", text(404, "<html>", "Content-Type", "text/html"), Count{}, Count{Traces: 10, Spans: 50}, 0, 1, "usually 4318"},
		{"500", text(500, ""), Count{}, Count{Traces: 10, Spans: 50}, 0, 1, "HTTP 500"},
		{"redirect", text(307, "", "Location", "http://127.0.0.1:1/"), Count{}, Count{Traces: 10, Spans: 50}, 0, 1, "HTTP 307"},
		{"413", text(413, ""), Count{}, Count{Traces: 10, Spans: 50}, 0, 19, "max_request_body_size"},
		{"502", text(502, ""), Count{}, Count{}, 10, 0, "HTTP 502"},
		{"503", text(503, ""), Count{}, Count{}, 10, 0, "collector is away"},
		{"504", text(504, ""), Count{}, Count{}, 10, 0, "HTTP 504"},
		{"429", text(429, ""), Count{}, Count{}, 10, 0, "HTTP 429"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(t, nil)
			w.answers(c.answer)
			toHTTP(t)
			e, log := connect(t, strings.TrimPrefix(w.url, "http://"), Options{})
			for i := range 10 {
				e.Export(fiveSpans(i))
			}
			flush(e, 2*time.Second)
			s := e.Stats()
			balanced(t, s)
			if s.Exported != c.exported || s.Rejected != c.rejected || s.Undelivered.Traces != c.undelivered || s.Unsure != (Count{}) {
				t.Errorf("%+v", s)
			}
			if c.failures > 0 && s.Failures != c.failures {
				t.Errorf("%d failures", s.Failures)
			}
			if c.logged != "" && log.lines(c.logged) == 0 || c.logged == "" && log.String() != "" {
				t.Errorf("logged:\n%s", log)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999999999999999": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0,
	} {
		if got := retryAfter(v, now); got != want {
			t.Errorf("%q: %s, not %s", v, got, want)
		}
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	w := serve(t, nil)
	w.answers(func(rw http.ResponseWriter, _ *http.Request) {
		w.answer = nil
		rw.Header().Set("Retry-After", "2")
		rw.WriteHeader(http.StatusTooManyRequests)
	})
	toHTTP(t)
	e, _ := connect(t, strings.TrimPrefix(w.url, "http://"), Options{})
	e.Export(fiveSpans(1))
	eventually(t, "exported", func() bool { return e.Stats().Exported.Traces == 1 })
	if d := w.times[1].Sub(w.times[0]); d < 1500*time.Millisecond {
		t.Errorf("came again after %s", d)
	}
}

// A collector, or a proxy before it, may quote what it was sent.
func TestCredentialsAreHidden(t *testing.T) {
	w := serve(t, nil)
	w.answers(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/plain")
		rw.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(rw, "unknown: "+strings.Join(r.Header["Api-Key"], "")+" "+
			strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+" in "+r.URL.String())
	})
	toHTTP(t)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret1,authorization=Bearer%20secret2")
	for _, endpoint := range []string{w.url + "?token=secret3", strings.Replace(freeURL(t), "//", "//user:secret5@", 1) + "?token=secret6"} {
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)
		e, log := connect(t, "x", Options{})
		e.Export(fiveSpans(1))
		flush(e, 2*time.Second)
		if s := e.Stats(); s.LastError == "" || strings.Contains(s.LastError+log.String(), "secret") {
			t.Errorf("%s\n%s", s.LastError, log)
		}
	}
}

func freeURL(t *testing.T) string { return "http://" + freePort(t) }

// Each protocol at the other's port says so.
func TestWrongProtocol(t *testing.T) {
	w, c := serve(t, nil), listen(t, "127.0.0.1:0")
	for _, tt := range []struct{ protocol, addr, want string }{
		{"http/protobuf", c.addr, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
		{"grpc", strings.TrimPrefix(w.url, "http://"), "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"},
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", tt.protocol)
		e, log := connect(t, tt.addr, Options{})
		e.Export(fiveSpans(1))
		flush(e, 3*time.Second)
		if log.lines(tt.want) != 1 {
			t.Errorf("%s at %s:\n%s", tt.protocol, tt.addr, log)
		}
		balanced(t, e.Stats())
	}
}
