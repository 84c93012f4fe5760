package trial

import (
	"os"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// Kafka is the usual distribution, installed.
func Kafka(t *testing.T) *kafka.Dist {
	t.Helper()
	d, err := kafka.Install(t.Context(), cached(t), Progress(t))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Jaeger is its binary, built now only as root: it takes minutes.
func Jaeger(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Jaeger (-short)")
	}
	dir := cached(t)
	path, err := jaeger.Path(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil && os.Geteuid() != 0 {
		t.Skip("Jaeger is not built yet, which takes minutes (as root the test builds it)")
	}
	if path, err = jaeger.Build(t.Context(), dir, Progress(t)); err != nil {
		t.Fatal(err)
	}
	return path
}

// Answering brings up a Jaeger that goes away with the test; its log is kept in
// a directory.
func Answering(t *testing.T, bin, logs string) *jaeger.Server {
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

// FreeAddress is one of loopback that nobody listens at.
func FreeAddress(t *testing.T) string {
	t.Helper()
	address, err := child.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func cached(t *testing.T) string {
	t.Helper()
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
