package otlp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrProtocol is returned by New if the environment asks for a protocol that
// is not spoken.
var ErrProtocol = errors.New("protocol is not supported, set OTEL_EXPORTER_OTLP_PROTOCOL to grpc or http/protobuf")

const (
	protocolGRPC = "grpc"
	protocolHTTP = "http/protobuf"

	defaultEndpoint     = "localhost:4317"
	defaultEndpointHTTP = "http://localhost:4318"
	tracesPath          = "/v1/traces"
	defaultTimeout      = 10 * time.Second // of one attempt
)

// Enabled says whether the environment wants traces to be exported: it does
// unless OTEL_TRACES_EXPORTER is none or OTEL_SDK_DISABLED is true.
func Enabled() bool {
	return !strings.EqualFold(env("OTEL_TRACES_EXPORTER"), "none") &&
		!strings.EqualFold(env("OTEL_SDK_DISABLED"), "true")
}

// settings are what the environment says of the collector. The gRPC client
// reads it too: from there are its target, headers, compression and timeout.
type settings struct {
	protocol string
	endpoint string      // to be shown
	plain    bool        // without TLS
	tls      *tls.Config // nil: the host's CAs, no certificate of our own
	secrets  Secrets

	// of HTTP
	url     *url.URL
	headers map[string]string
	gzip    bool
	timeout time.Duration // 0: none
}

func readSettings(log *slog.Logger) (settings, error) {
	s := settings{protocol: either("PROTOCOL")}
	if s.protocol == "" {
		s.protocol = protocolGRPC
	}
	var err error
	switch s.protocol {
	case protocolGRPC:
		err = s.target()
	case protocolHTTP:
		err = s.resolve()
	default:
		err = fmt.Errorf("OTLP %q: %w", s.protocol, ErrProtocol)
	}
	if err != nil {
		return settings{}, err
	}
	if s.gzip, err = compression(); err != nil {
		return settings{}, err
	}
	if s.protocol == protocolGRPC {
		log = slog.New(slog.DiscardHandler) // its client says the same
	}
	s.timeout, s.headers = timeout(log), parseHeaders(either("HEADERS"), log)
	s.secrets = newSecrets(s.url, s.headers)
	s.tls, err = readTLS()
	return s, err
}

// target decides, for gRPC, what an endpoint may leave open. Without one
// OpenTelemetry's default is http://localhost:4317, but the client's https.
func (s *settings) target() error {
	u, err := endpoint()
	if err != nil {
		return err
	}
	if u == nil {
		s.endpoint, s.plain = defaultEndpoint, either("INSECURE") == "" && either("CERTIFICATE") == ""
		return nil
	}
	s.endpoint, s.url = Shown(u), u
	switch strings.ToLower(u.Scheme) {
	case "http":
		s.plain = true
	case "https":
	case "unix":
		s.plain = !strings.EqualFold(either("INSECURE"), "false")
	default:
		s.plain = strings.EqualFold(either("INSECURE"), "true")
	}
	return nil
}

// resolve decides, for HTTP, where to send: an endpoint for traces is taken as
// it is, one for all signals is what their paths are relative to.
func (s *settings) resolve() error {
	u, err := endpoint()
	if err != nil {
		return err
	}
	if u == nil {
		u, _ = url.Parse(defaultEndpointHTTP)
	}
	if scheme := strings.ToLower(u.Scheme); scheme != "http" && scheme != "https" || u.Host == "" {
		return errors.New("parse OTEL_EXPORTER_OTLP_ENDPOINT: for http/protobuf it is http://HOST:PORT or https://HOST:PORT")
	}
	switch {
	case env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "":
		u = u.JoinPath(tracesPath)
	case u.Path == "":
		u.Path = "/"
	}
	s.endpoint, s.url = Shown(u), u
	return nil
}

// endpoint is nil where none is set.
func endpoint() (*url.URL, error) {
	text := either("ENDPOINT")
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		// Its text would show the whole URL, with a password that may be in it.
		return nil, errors.New("parse OTEL_EXPORTER_OTLP_ENDPOINT: not a URL")
	}
	return u, nil
}

// timeout of one attempt; 0: none.
func timeout(log *slog.Logger) time.Duration {
	text := either("TIMEOUT")
	if text == "" {
		return defaultTimeout
	}
	ms, err := strconv.Atoi(text)
	if err != nil || ms < 0 {
		ignored(log, "parse duration")
		return defaultTimeout
	}
	return time.Duration(ms) * time.Millisecond
}

func compression() (gzip bool, err error) {
	switch v := either("COMPRESSION"); v {
	case "", "none":
		return false, nil
	case "gzip":
		return true, nil
	default:
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_COMPRESSION %q: want gzip or none", v)
	}
}

// either is the variable for traces or else the one for all signals.
func either(name string) string {
	if v := env("OTEL_EXPORTER_OTLP_TRACES_" + name); v != "" {
		return v
	}
	return env("OTEL_EXPORTER_OTLP_" + name)
}

func env(name string) string { return strings.TrimSpace(os.Getenv(name)) }
