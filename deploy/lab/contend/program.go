package contend

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// Config is how the JVM is started.
type Config struct {
	Java string   // its launcher
	JVM  []string // further options; -Xmx128m is set before them
	Dir  string   // for its files and its output
}

// Program is a running JVM.
type Program struct {
	*child.Process
	dir  string
	logs int // written so far
	in   io.WriteCloser
	out  *os.File
	say  *bufio.Reader
}

const (
	startWithin  = time.Minute
	answerWithin = 30 * time.Second
)

// Start starts the JVM; nothing contends yet. Close ends it.
func Start(ctx context.Context, c Config) (*Program, error) {
	classes, err := compile(ctx)
	if err != nil {
		return nil, fmt.Errorf("compile the contending program: %w", err)
	}
	properties, err := c.properties()
	if err != nil {
		return nil, err
	}
	options := append([]string{"-Xmx128m", "-XX:+UseSerialGC"}, c.JVM...)
	p := &Program{dir: c.Dir}
	// Not bound to ctx: Close asks it to end, in order.
	if err := p.launch(exec.Command(c.Java, append(options, "-cp", classes, "Contend", properties)...)); err != nil {
		return nil, err
	}
	if err := p.answer("ready", startWithin); err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	return p, nil
}

func (p *Program) launch(cmd *exec.Cmd) (err error) {
	out, stdout, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdout.Close()
	cmd.Stdout = stdout
	if p.in, err = cmd.StdinPipe(); err != nil {
		return errors.Join(err, out.Close())
	}
	p.out, p.say = out, bufio.NewReader(out)
	p.Process, err = child.Start("contending program", filepath.Join(p.dir, "contend.log"), cmd)
	if err != nil {
		return errors.Join(err, out.Close())
	}
	return nil
}

// properties writes what a broker would have: its listener is any port.
func (c Config) properties() (string, error) {
	logs, file := filepath.Join(c.Dir, "logs"), filepath.Join(c.Dir, "contend.properties")
	return file, errors.Join(os.MkdirAll(logs, 0o755),
		os.WriteFile(filepath.Join(logs, "meta.properties"), []byte("version=1\ncluster.id=contend\nnode.id=1\n"), 0o644),
		os.WriteFile(file, []byte("node.id=1\nlisteners=PLAINTEXT://127.0.0.1:0\nlog.dirs="+logs+"\n"), 0o644))
}

// ask sends a line and returns the answer.
func (p *Program) ask(line string, within time.Duration) (string, error) {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return "", fmt.Errorf("tell %s: %w, see %s", p.Name, err, p.Log)
	}
	return p.read(within)
}

func (p *Program) read(within time.Duration) (string, error) {
	if err := p.out.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	for { // a JVM may warn of its options on its output
		said, err := p.say.ReadString('\n')
		if err != nil {
			return "", fmt.Errorf("hear %s: %w, see %s", p.Name, err, p.Log)
		}
		for _, word := range []string{"ready", "running", "rated", "counts "} {
			if strings.HasPrefix(said, word) {
				return strings.TrimSpace(said), nil
			}
		}
	}
}

func (p *Program) answer(want string, within time.Duration) error {
	said, err := p.read(within)
	if err == nil && said != want {
		err = fmt.Errorf("%s says %q instead of %q", p.Name, said, want)
	}
	return err
}

// Run starts threads; only one run at a time.
func (p *Program) Run(o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	_, err := p.ask(o.line(), answerWithin)
	return err
}

// Rate changes that of an Even run.
func (p *Program) Rate(perSecond int) error {
	_, err := p.ask(fmt.Sprintf("rate %d", perSecond), answerWithin)
	return err
}

// Counts is what was done since the run began.
type Counts struct {
	Time    time.Duration // CLOCK_MONOTONIC
	Holds   int64         // of all threads
	Blocked int64         // enters that waited, as the JVM counts (ThreadInfo.getBlockedCount)
	Work    int64         // of the workers; a unit is about a microsecond
}

// Count asks for the counts so far, which costs the JVM a few microseconds a
// thread.
func (p *Program) Count() (Counts, error) { return p.counts("count") }

func (p *Program) counts(line string) (c Counts, err error) {
	said, err := p.ask(line, answerWithin)
	if err != nil {
		return c, err
	}
	if n, err := fmt.Sscanf(said, "counts %d %d %d %d", &c.Time, &c.Holds, &c.Blocked, &c.Work); n != 4 {
		return c, fmt.Errorf("%s says %q: %w", p.Name, said, err)
	}
	if words := strings.SplitN(said, " ", 6); len(words) == 6 {
		return c, fmt.Errorf("a thread of %s failed: %s", p.Name, words[5])
	}
	return c, nil
}

// End ends the run's threads. The JVM lives, and another run may begin.
func (p *Program) End() (Counts, error) { return p.counts("end -") }

// EndLogged ends the run's threads and reads what they wrote down.
func (p *Program) EndLogged() (*Log, Counts, error) {
	p.logs++
	file := filepath.Join(p.dir, fmt.Sprintf("holds-%d.tsv", p.logs))
	c, err := p.counts("end " + file)
	if err != nil {
		return nil, c, err
	}
	log, err := readLog(file)
	return log, c, err
}

// Close ends the JVM in order, as its flight recording must be written.
func (p *Program) Close() error {
	err := p.in.Close()
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if e := p.Wait(ctx); e != nil {
		return errors.Join(fmt.Errorf("end %s: %w, see %s", p.Name, e, p.Log), p.Kill())
	}
	return errors.Join(err, p.out.Close())
}

// Kill ends it at once; it does nothing after Close.
func (p *Program) Kill() error {
	if p.Alive() {
		_ = p.Stop(syscall.SIGKILL, answerWithin)
	}
	_ = p.out.Close() // it may be closed already
	return nil
}
