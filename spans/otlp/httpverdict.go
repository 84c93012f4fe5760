package otlp

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
)

var errTooLarge = errors.New("request is larger than 64 MiB")

// httpError is an answer that is no success.
type httpError struct {
	code int
	text string
}

func (e *httpError) Error() string {
	s := fmt.Sprintf("HTTP %d %s", e.code, http.StatusText(e.code))
	if e.text != "" {
		s += ": " + e.text
	}
	return s
}

// judgeHTTP follows https://opentelemetry.io/docs/specs/otlp/#otlphttp-response.
func judgeHTTP(r *http.Response, body []byte, now time.Time) result {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.StatusCode/100 == 2 {
		return taken(kind, body)
	}
	out := result{verdict: refused, err: &httpError{r.StatusCode, said(kind, body)}}
	switch r.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		out.verdict, out.delay = retry, retryAfter(r.Header.Get("Retry-After"), now)
	case http.StatusRequestEntityTooLarge:
		out.verdict = tooLarge
	}
	return out
}

// taken is a success. One in another language may not be a collector's.
func taken(kind string, body []byte) (r result) {
	if len(body) == 0 {
		return r
	}
	var answer collectorpb.ExportTraceServiceResponse
	if kind != contentType || proto.Unmarshal(body, &answer) != nil {
		r.message = fmt.Sprintf("an answer that is not OTLP's (%q)", kind)
		return r
	}
	p := answer.GetPartialSuccess()
	r.rejected, r.message = int(p.GetRejectedSpans()), p.GetErrorMessage()
	return r
}

// said is what an answer says: a Status, or text if it is not a page of HTML.
func said(kind string, body []byte) string {
	switch kind {
	case contentType:
		var s statuspb.Status
		if proto.Unmarshal(body, &s) == nil {
			return s.GetMessage()
		}
	case "text/plain", "application/json":
		return strings.TrimSpace(string(body))
	}
	return ""
}

// retryAfter is a number of seconds or a date (RFC 9110, 10.2.3).
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	if date, err := http.ParseTime(v); err == nil {
		return max(date.Sub(now), 0)
	}
	return 0
}

// adviceHTTP is what the operator can do about it; "" where it is not known.
func adviceHTTP(e *httpError) string {
	switch e.code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return "check OTEL_EXPORTER_OTLP_HEADERS"
	case http.StatusRequestEntityTooLarge:
		return "raise the collector's largest request (max_request_body_size)"
	case http.StatusBadRequest:
		return "the collector's log says what it dislikes"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return "the collector has too much to do: look at its log"
	}
	if e.code/100 == 3 {
		return "name the endpoint that it leads to in OTEL_EXPORTER_OTLP_ENDPOINT"
	}
	return "check that the endpoint is an OTLP/HTTP port, usually 4318, and its path"
}
