package kafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/cache"
)

// progress writes to the test's log.
type progress struct{ testing.TB }

func (p progress) Write(b []byte) (int, error) {
	p.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// installed is a version from the cache, or from Maven.
func installed(t *testing.T, v Version) *Dist {
	t.Helper()
	if testing.Short() {
		t.Skip("a broker takes seconds (-short)")
	}
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	d, err := InstallVersion(t.Context(), dir, v, progress{t})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// within fills in the directories of a run that goes away with the test; what
// the processes say is kept until the test runs again.
func within(t *testing.T, c Config) Config {
	t.Helper()
	run, err := cache.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	root, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	c.Dir, c.LogDir = run.Path("broker"), run.Path("logs")
	c.OutputDir = filepath.Join(root, "logs", "kafka", t.Name())
	if err := os.RemoveAll(c.OutputDir); err != nil {
		t.Fatal(err)
	}
	return c
}

// start starts a broker that is stopped with the test.
func start(t *testing.T, v Version, c Config) *Broker {
	t.Helper()
	c = within(t, c)
	b, err := Start(t.Context(), installed(t, v), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return b
}

// client is a franz-go client of a listener, with further options.
func client(t *testing.T, a Access, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts, err := a.Franz()
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// segment is the path of a partition's first segment.
func (b *Broker) segment(partition string) string {
	return filepath.Join(b.LogDir, partition, "00000000000000000000.log")
}
