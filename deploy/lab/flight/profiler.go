package flight

import (
	"archive/zip"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

//go:embed async-profiler.xml
var pom []byte

const agent = "libasyncProfiler.so"

// Profiler is async-profiler's agent.
type Profiler struct{ library string }

// InstallProfiler gets it by Maven into the cache.
func InstallProfiler(ctx context.Context, cacheDir string, progress io.Writer) (*Profiler, error) {
	jars, err := kafka.Jars(ctx, cacheDir, "async-profiler", pom, progress)
	if err != nil {
		return nil, fmt.Errorf("get async-profiler: %w", err)
	}
	p := &Profiler{filepath.Join(jars, agent)}
	if _, err := os.Stat(p.library); err == nil {
		return p, nil
	}
	all, err := filepath.Glob(filepath.Join(jars, "async-profiler-*.jar"))
	if err != nil || len(all) != 1 {
		return nil, fmt.Errorf("async-profiler: %d jars, not one: %w", len(all), err)
	}
	return p, p.unpack(all[0])
}

// directory of the agent in its jar.
var directory = map[string]string{"amd64": "linux-x64", "arm64": "linux-arm64"}[runtime.GOARCH]

func (p *Profiler) unpack(jar string) error {
	z, err := zip.OpenReader(jar)
	if err != nil {
		return err
	}
	defer z.Close()
	in, err := z.Open(path.Join(directory, agent))
	if err != nil {
		return err
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.library+".part", b, 0o755); err != nil {
		return err
	}
	return os.Rename(p.library+".part", p.library)
}

// Record gives the JVM option that has every wait for a monitor recorded from
// the JVM's start on, into a JFR file.
func (p *Profiler) Record(file string) (option string) {
	return "-agentpath:" + p.library + "=start,event=lock,lock=1ns,jfr,file=" + file
}

// Stop ends the recording, and completes its file.
func (p *Profiler) Stop(ctx context.Context, pid int) error {
	return run(ctx, "jcmd", nil, strconv.Itoa(pid), "JVMTI.agent_load", p.library, "stop")
}
