package canary

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
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
	out, log := s.offline(t, name, append([]string{"replay", "--print", r.kind, "--format", r.format, r.file}, r.flags...)...)
	x := output{name: name, place: rows, asked: r.asked, bytes: out}
	if r.kind == "traces" {
		x.place = traces
		if x.linkless = linkOfTable.ReplaceAll(x.bytes, nil); r.format == "jsonl" {
			x.linkless = withoutLinks(t, x.bytes)
		}
	}
	o.add(x)
	o.add(output{name: name + ", log", bytes: log, must: "msg=requests"})
}

// reportAll makes pages of the recordings, and compares them.
func (s *stage) reportAll(t *testing.T, o *outputs, lives []*live) {
	t.Helper()
	for _, l := range lives {
		page, log := s.offline(t, "report of "+l.name, "report", "--slo", "1us", "-o", "-", l.recording)
		o.add(output{name: "report of " + l.name, place: recording, asked: l.asked, bytes: page, must: "</html>"})
		o.add(output{name: "report of " + l.name + ", log", bytes: log, must: "msg=requests"})
	}
	file := s.file("compared.html")
	table, log := s.offline(t, "compare", "compare", "--slo", "1us", "-o", file, lives[0].recording, lives[1].recording)
	page, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
	}
	o.add(output{name: "compare", bytes: table, must: "p99"})
	o.add(output{name: "compare, page", place: recording, asked: true, bytes: page, must: "</html>"})
	o.add(output{name: "compare, log", bytes: log, must: "msg=requests"})
}

// offline runs a command to its end, and returns its output and its log.
func (s *stage) offline(t *testing.T, name string, args ...string) (out, log []byte) {
	t.Helper()
	line := func(b []byte) error { out = append(append(out, b...), '\n'); return nil }
	ts, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, strings.ReplaceAll(name, " ", "-")+".log"), []string{trial.NoExport}, line,
		append(args, "--log-level", "debug")...)
	if err != nil {
		t.Fatal(err)
	}
	if err := ts.Finish(t.Context()); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	said, err := ts.Output()
	if err != nil {
		t.Error(err)
	}
	return out, []byte(said)
}
