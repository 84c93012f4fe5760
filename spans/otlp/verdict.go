package otlp

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// maxErrorText bounds what of a collector's error is kept and logged.
const maxErrorText = 300

// result is what became of one attempt to send a batch.
type result struct {
	verdict  verdict
	err      error         // of a failed attempt
	delay    time.Duration // that the collector asked for
	rejected int           // spans refused though the batch was accepted
	message  string        // the collector's remark with it
	unsure   bool          // it may have been accepted: no answer came
}

type verdict uint8

const (
	accepted verdict = iota
	retry            // not now
	tooLarge         // not in one piece
	refused          // never
)

// judge follows the table of https://opentelemetry.io/docs/specs/otlp/#failures.
func judge(err error) result {
	if err == nil {
		return result{verdict: accepted}
	}
	r := result{verdict: refused, err: err}
	s, ok := status.FromError(err)
	if !ok {
		// Not an answer: the client would not even send it.
		r.verdict = tooLarge
		return r
	}
	throttled := false
	r.delay, throttled = retryDelay(s)
	switch s.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted,
		codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		r.verdict = retry
	case codes.ResourceExhausted:
		r.verdict = tooLarge
		if throttled {
			r.verdict = retry
		}
	}
	return r
}

func retryDelay(s *status.Status) (time.Duration, bool) {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration(), true
		}
	}
	return 0, false
}

const (
	nobody  = "start a collector there, name another in OTEL_EXPORTER_OTLP_ENDPOINT, or set OTEL_TRACES_EXPORTER=none"
	notGRPC = "check that the endpoint is an OTLP/gRPC port, usually 4317, or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
	notHTTP = "check that the endpoint is an OTLP/HTTP port, usually 4318, or set OTEL_EXPORTER_OTLP_PROTOCOL=grpc"
	tooSlow = "the collector is too slow or hangs: look at its log"
)

// advice is what the operator can do about a failed attempt.
func advice(err error) string {
	var answer *httpError
	if errors.As(err, &answer) {
		return adviceHTTP(answer)
	}
	switch text := err.Error(); {
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "the collector speaks no TLS: write http:// before the endpoint"
	case strings.Contains(text, "x509:"):
		return "name the collector's CA in OTEL_EXPORTER_OTLP_CERTIFICATE"
	case strings.Contains(text, "looked like an HTTP/1.1 header"):
		return notGRPC
	case strings.Contains(text, "malformed HTTP response"), strings.Contains(text, "readLoopPeekFail"): // it spoke first
		return notHTTP
	case errors.Is(err, context.DeadlineExceeded):
		return tooSlow
	}
	s, ok := status.FromError(err)
	if !ok {
		return nobody
	}
	switch s.Code() {
	case codes.Unauthenticated, codes.PermissionDenied:
		return "check OTEL_EXPORTER_OTLP_HEADERS"
	case codes.Unimplemented, codes.Unknown, codes.Internal:
		return notGRPC
	case codes.DeadlineExceeded:
		return tooSlow
	case codes.ResourceExhausted:
		return "raise the collector's largest message (max_recv_msg_size_mib)"
	case codes.InvalidArgument:
		return "the collector's log says what it dislikes"
	}
	return nobody
}

// brief is an error on one line, short enough for a log.
func brief(err error) string { return clip(err.Error()) }

func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) <= maxErrorText {
		return s
	}
	cut := maxErrorText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
