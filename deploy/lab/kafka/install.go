package kafka

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

//go:embed pom.xml
var pom []byte

// Dist is an installed Kafka.
type Dist struct {
	Libs string // the directory of its jars
	Java string // the java that runs it
}

// ErrNoJava says that the machine has no JDK, or no Maven to get Kafka with.
var ErrNoJava = errors.New("java or mvn is not installed (as root: deploy/lab/install.sh)")

// Install gets Kafka's jars by Maven into the cache, once for each pom.xml,
// and says on progress how far it is.
func Install(ctx context.Context, cacheDir string, progress io.Writer) (*Dist, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, ErrNoJava
	}
	d := &Dist{Libs: filepath.Join(cacheDir, fmt.Sprintf("kafka-%.4x", sha256.Sum256(pom))), Java: java}
	if _, err := os.Stat(d.Libs); err == nil {
		return d, nil
	}
	if err := d.download(ctx, cacheDir, progress); err != nil {
		return nil, fmt.Errorf("get kafka: %w", err)
	}
	return d, nil
}

// download fills a directory beside the final one, and renames it only when
// it is whole.
func (d *Dist) download(ctx context.Context, cacheDir string, progress io.Writer) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return ErrNoJava
	}
	tmp, err := os.MkdirTemp(cacheDir, "kafka-part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	pomFile := filepath.Join(tmp, "pom.xml")
	if err := os.WriteFile(pomFile, pom, 0o644); err != nil {
		return err
	}
	libs := filepath.Join(tmp, "libs")
	cmd := exec.CommandContext(ctx, mvn, "-B", "-f", pomFile, "dependency:copy-dependencies", "-DoutputDirectory="+libs)
	if err := follow(child.Guard(cmd), progress); err != nil {
		return fmt.Errorf("mvn dependency:copy-dependencies: %w", err)
	}
	return os.Rename(libs, d.Libs)
}

// keptLines bounds what is kept of Maven's output to explain a failure.
const keptLines = 15

// follow runs Maven and turns its chatter into a line now and then.
func follow(cmd *exec.Cmd, progress io.Writer) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	var last []string
	jars := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last = append(last, lines.Text())
		last = last[max(0, len(last)-keptLines):]
		if strings.Contains(lines.Text(), "Downloaded from") && strings.Contains(lines.Text(), ".jar ") {
			if jars++; jars%25 == 0 {
				fmt.Fprintf(progress, "  %d jars downloaded\n", jars)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w:\n%s", err, strings.Join(last, "\n"))
	}
	return nil
}

// tool is a command that runs one of Kafka's main classes.
func (d *Dist) tool(ctx context.Context, jvm []string, class string, args ...string) *exec.Cmd {
	all := append(append([]string{}, jvm...), "-cp", filepath.Join(d.Libs, "*"), class)
	return child.Guard(exec.CommandContext(ctx, d.Java, append(all, args...)...))
}

// light keeps the JVM of a tool small: it shares the machine with the broker.
var light = []string{"-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"}

// run runs a short-lived tool and returns its output.
func (d *Dist) run(ctx context.Context, class string, args ...string) ([]byte, error) {
	out, err := d.tool(ctx, light, class, args...).CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", class, err, out)
	}
	return out, nil
}
