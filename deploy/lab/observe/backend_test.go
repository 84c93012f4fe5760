package observe

import (
	"net"
	"os"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// jaegerBinary is Jaeger's, built now only as root: it takes minutes.
func jaegerBinary(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Jaeger (-short)")
	}
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	path, err := jaeger.Path(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil && os.Geteuid() != 0 {
		t.Skip("Jaeger is not built yet, which takes minutes (as root the test builds it)")
	}
	if path, err = jaeger.Build(t.Context(), dir, trial.Progress(t)); err != nil {
		t.Fatal(err)
	}
	return path
}

// answering brings up a Jaeger that goes away with the test; its log is kept in
// a directory.
func answering(t *testing.T, bin, logs string) *jaeger.Server {
	t.Helper()
	ports, err := jaeger.FreePorts()
	if err != nil {
		t.Fatal(err)
	}
	s, err := jaeger.Start(t.Context(), bin, logs, ports)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

// freeAddr is one of loopback.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
