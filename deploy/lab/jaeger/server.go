package jaeger

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// config makes Jaeger listen on loopback only (its default is all interfaces)
// and not trace itself, which would also hold up its end.
const config = `service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [jaeger_storage_exporter]
  telemetry:
    metrics:
      level: none
    logs:
      level: warn
extensions:
  jaeger_query:
    enable_tracing: false
    storage:
      traces: memory
    http:
      endpoint: "%[1]s"
    grpc:
      endpoint: "%[2]s"
  jaeger_storage:
    backends:
      memory:
        memory:
          max_traces: 100000
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: "%[3]s"
processors:
  batch:
    timeout: 200ms
exporters:
  jaeger_storage_exporter:
    trace_storage: memory
`

// Ports are where a Jaeger listens, all on loopback.
type Ports struct {
	HTTP, GRPC, OTLP int
}

// FreePorts are the usual ones, where they are free, else any.
func FreePorts() (p Ports, err error) {
	for _, port := range []struct {
		usual int
		is    *int
	}{{16686, &p.HTTP}, {16685, &p.GRPC}, {4317, &p.OTLP}} {
		if *port.is, err = freePort(port.usual); err != nil {
			return Ports{}, err
		}
	}
	return p, nil
}

func freePort(usual int) (int, error) {
	l, err := net.Listen("tcp", local(usual))
	if err != nil {
		l, err = net.Listen("tcp", local(0))
	}
	if err != nil {
		return 0, fmt.Errorf("find free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Endpoint is where OTLP goes to (OTEL_EXPORTER_OTLP_ENDPOINT).
func (p Ports) Endpoint() string { return "http://" + local(p.OTLP) }

// URL is the API's and the pages' address.
func (p Ports) URL() string { return "http://" + local(p.HTTP) }

// Server is a running Jaeger; it keeps its traces in memory.
type Server struct {
	*child.Process
	Ports
	Client
}

const (
	readyWithin = 60 * time.Second
	stopWithin  = 10 * time.Second
)

// Start runs the binary with its files in dir, and waits until it answers.
func Start(ctx context.Context, bin, dir string, ports Ports) (*Server, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("start jaeger: %w", err)
	}
	file := filepath.Join(dir, "jaeger.yaml")
	text := fmt.Sprintf(config, local(ports.HTTP), local(ports.GRPC), local(ports.OTLP))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("start jaeger: %w", err)
	}
	p, err := child.Start("jaeger", filepath.Join(dir, "jaeger.log"), exec.Command(bin, "--config", file))
	if err != nil {
		return nil, err
	}
	s := &Server{Process: p, Ports: ports, Client: Client{URL: ports.URL()}}
	if err := s.Until(ctx, readyWithin, s.Answers); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Answers says whether the OTLP port and the API both do.
func (s *Server) Answers() bool {
	conn, err := net.DialTimeout("tcp", local(s.OTLP), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return s.Client.Answers()
}

// Answers says whether the API does.
func (c Client) Answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/api/services", nil)
	if err != nil {
		return false
	}
	resp, err := once.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Stop ends it; its traces are gone.
func (s *Server) Stop() error { return s.Process.Stop(syscall.SIGTERM, stopWithin) }
