package kafka

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// Dist is an installed Kafka.
type Dist struct {
	Version Version
	Libs    string // the directory of its jars
	Java    string // the java that runs it
	tools   string // the jars of its tools: those of Default serve all
}

// ErrNoJava says that the machine has no JDK, or no Maven to get Kafka with.
var ErrNoJava = errors.New("java or mvn is not installed (as root: deploy/lab/install.sh)")

// Install gets the jars of the default version.
func Install(ctx context.Context, cacheDir string, progress io.Writer) (*Dist, error) {
	return InstallVersion(ctx, cacheDir, Default, progress)
}

// InstallVersion gets a version's jars by Maven into the cache, once for each
// pom, and says on progress how far it is. What the broker needs no jars of its
// own for (TopicCommand's like) comes from the default version.
func InstallVersion(ctx context.Context, cacheDir string, v Version, progress io.Writer) (*Dist, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, ErrNoJava
	}
	d := &Dist{Version: v, Java: java}
	if d.Libs, err = jars(ctx, cacheDir, v, progress); err != nil {
		return nil, fmt.Errorf("get kafka %s: %w", v, err)
	}
	if d.tools, err = jars(ctx, cacheDir, Default, progress); err != nil {
		return nil, fmt.Errorf("get kafka's tools %s: %w", Default, err)
	}
	return d, nil
}

// jars is the directory of a version's jars, filled if it must be.
func jars(ctx context.Context, cacheDir string, v Version, progress io.Writer) (string, error) {
	pom, err := v.pom()
	if err != nil {
		return "", err
	}
	return Jars(ctx, cacheDir, fmt.Sprintf("kafka-%s", v), pom, progress)
}

// Jars is the directory of the jars that a pom depends on, filled by Maven if
// it must be.
func Jars(ctx context.Context, cacheDir, name string, pom []byte, progress io.Writer) (string, error) {
	libs := filepath.Join(cacheDir, fmt.Sprintf("%s-%.4x", name, sha256.Sum256(pom)))
	if _, err := os.Stat(libs); err == nil {
		return libs, nil
	}
	return libs, download(ctx, cacheDir, pom, libs, progress)
}

// download fills a directory beside the final one, and renames it only when
// it is whole.
func download(ctx context.Context, cacheDir string, pom []byte, to string, progress io.Writer) error {
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
	if err := os.Rename(libs, to); err != nil && !errors.Is(err, fs.ErrExist) { // another run was first
		return err
	}
	return nil
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

// on is the same with another java; "" leaves it.
func (d *Dist) on(java string) *Dist {
	other := *d
	other.Java = cmp.Or(java, d.Java)
	return &other
}

// command is one of the main classes in a directory of jars.
func (d *Dist) command(ctx context.Context, libs string, jvm []string, class string, args ...string) *exec.Cmd {
	all := append(slices.Clone(jvm), "-cp", filepath.Join(libs, "*"), class)
	return child.Guard(exec.CommandContext(ctx, d.Java, append(all, args...)...))
}

// server is a main class of this very version.
func (d *Dist) server(ctx context.Context, jvm []string, class string, args ...string) *exec.Cmd {
	return d.command(ctx, d.Libs, jvm, class, args...)
}

// light keeps the JVM of a tool small: it shares the machine with the broker.
var light = []string{"-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"}

// tool is a command-line tool of the default version.
func (d *Dist) tool(ctx context.Context, class string, args ...string) *exec.Cmd {
	return d.command(ctx, d.tools, light, class, args...)
}

// run runs a short-lived command and returns its output.
func run(cmd *exec.Cmd, class string) ([]byte, error) {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", class, err, out)
	}
	return out, nil
}

// runTool runs a short-lived tool and returns its output.
func (d *Dist) runTool(ctx context.Context, class string, args ...string) ([]byte, error) {
	return run(d.tool(ctx, class, args...), class)
}
