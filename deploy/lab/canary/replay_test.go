package canary

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// pcap is a capture by somebody else, with everything in it.
type pcap struct {
	*child.Process
	file  string
	ports []int
}

// capture starts one of all ports that are the broker's, or taken for it.
func (s *stage) capture(t *testing.T) *pcap {
	t.Helper()
	p := &pcap{file: s.file("plain.pcap"), ports: []int{s.broker.Port, s.port(t, kafka.SASLPlaintext), s.fake.port}}
	var filter []string
	for _, port := range p.ports {
		filter = append(filter, "port "+strconv.Itoa(port))
	}
	var err error
	p.Process, err = child.Start("dumpcap", filepath.Join(s.Dir, "dumpcap.log"), exec.Command("dumpcap", "-q", "-P", "-i", "lo", "-B", "64",
		"-f", "inbound and tcp and ("+strings.Join(filter, " or ")+")", "-w", p.file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(syscall.SIGKILL, time.Second) })
	if err := p.Until(t.Context(), 10*time.Second, func() bool { out, _ := p.Output(); return strings.Contains(out, "File:") }); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pcap) end(t *testing.T) {
	t.Helper()
	if err := p.Stop(syscall.SIGINT, 5*time.Second); err != nil {
		t.Errorf("dumpcap: %v", err)
	}
}

func (s *stage) port(t *testing.T, p kafka.Protocol) int {
	t.Helper()
	_, port, _ := strings.Cut(s.broker.Access(p, "").Address, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// kinds of rows, with what stands in each that is not empty.
var kinds = []string{"requests", "writes", "joined", "waits", "commits", "stacks", "traces"}

// replayAll prints every kind of row, in both formats, of both recordings; and
// what packets alone tell of a capture that holds everything.
func (s *stage) replayAll(t *testing.T, o *outputs, lives []*live, p *pcap) {
	t.Helper()
	var all []replay
	for _, kind := range kinds {
		for _, format := range []string{"jsonl", "table"} {
			for _, l := range lives {
				all = append(all, replay{kind, format, l.recording, l.name, l.asked, nil})
			}
		}
	}
	for _, port := range p.ports {
		for _, kind := range []string{"requests", "traces"} {
			flags := []string{"--port", strconv.Itoa(port)}
			all = append(all, replay{kind, "jsonl", p.file, "capture", false, flags},
				replay{kind, "jsonl", p.file, "capture", true, append(flags, "--message-id-header", s.header.Text())})
		}
	}
	begin := time.Now()
	for _, r := range all {
		s.replay(t, o, r)
	}
	t.Logf("%d replays in %s", len(all), time.Since(begin).Round(time.Millisecond))
}

type replay struct {
	kind, format, file, of string
	asked                  bool
	flags                  []string
}

func (s *stage) replay(t *testing.T, o *outputs, r replay) {
	t.Helper()
	name := strings.Join(append([]string{"replay of", r.of, r.kind, r.format}, r.flags...), " ")
	args := append([]string{"replay", "--print", r.kind, "--format", r.format, "--log-level", "debug", r.file}, r.flags...)
	cmd := child.Guard(exec.CommandContext(t.Context(), s.Bin, args...))
	cmd.Env = append(cmd.Environ(), trial.NoExport)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v: %s", name, err, log.Bytes())
	}
	x := output{name: name, place: rows, asked: r.asked, bytes: out.Bytes()}
	if r.kind == "traces" {
		x.place = traces
		if x.linkless = linkOfTable.ReplaceAll(x.bytes, nil); r.format == "jsonl" {
			x.linkless = withoutLinks(t, x.bytes)
		}
	}
	o.add(x)
	o.add(output{name: name + ", log", bytes: log.Bytes()})
}
