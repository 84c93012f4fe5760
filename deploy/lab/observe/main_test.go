package observe

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/prometheus"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

func TestMain(m *testing.M) {
	slowdisk.Main()
	trial.Main(m)
}

// tools are Prometheus's; as root, make test installs them.
func tools(t *testing.T) prometheus.Tools {
	t.Helper()
	p, err := prometheus.Find()
	if err != nil && os.Geteuid() == 0 {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return p
}

// deployed is the path of something below deploy/.
func deployed(t *testing.T, elem ...string) string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(append([]string{root, "deploy"}, elem...)...)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
