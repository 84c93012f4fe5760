package observe

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/listeners"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// fleet is a running Collector with the configuration of deploy/collector.
type fleet struct {
	*child.Process
	otlp        string // where it takes OTLP/gRPC
	spanmetrics string // where it serves the metrics that it makes
	own         string // and its own
}

// collect starts it. The file is taken as it is: addresses come in by its
// variables. Backend is where it sends to.
func collect(t *testing.T, bin, logs, backend string) *fleet {
	t.Helper()
	f := &fleet{otlp: trial.FreeAddress(t), spanmetrics: trial.FreeAddress(t), own: trial.FreeAddress(t)}
	host, port, err := net.SplitHostPort(f.own)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "--config", deployed(t, "collector", "config.yaml"))
	cmd.Env = append(os.Environ(), "OTLP_GRPC_ADDRESS="+f.otlp, "OTLP_HTTP_ADDRESS="+trial.FreeAddress(t), "BACKEND_OTLP_GRPC="+backend,
		"SPANMETRICS_ADDRESS="+f.spanmetrics, "COLLECTOR_METRICS_HOST="+host, "COLLECTOR_METRICS_PORT="+port, "COLLECTOR_LOG_LEVEL=warn")
	if f.Process, err = child.Start("collector", filepath.Join(logs, "collector.log"), cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Process.Stop(syscall.SIGTERM, 10*time.Second) })
	if err := f.Until(t.Context(), time.Minute, func() bool { return dials(f.otlp) && dials(f.spanmetrics) && dials(f.own) }); err != nil {
		t.Fatal(err)
	}
	addrs, err := listeners.Of(f.PID())
	if err != nil || len(addrs) == 0 {
		t.Fatalf("listens on %v, %v", addrs, err)
	}
	for _, a := range addrs {
		if !a.Addr().IsLoopback() {
			t.Errorf("listens on %s", a)
		}
	}
	return f
}

func dials(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// page is what an address serves at /metrics.
func page(t *testing.T, addr string) string {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", addr, resp.Status, err)
	}
	return string(b)
}

// metricLines are the samples of a metric.
func metricLines(page, name string) (lines []string) {
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, name); ok && strings.ContainsAny(rest[:1], "{ ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
