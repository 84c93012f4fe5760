package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/report"
)

// proven are the topics of TestVerify and what the broker does with them.
var proven = map[string]map[string]string{
	"mixed":     nil,
	"stamped":   {"message.timestamp.type": "LogAppendTime"},
	"packed":    {"compression.type": "gzip"},
	"compacted": {"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01"},
	"again":     nil,
}

// TestVerify records producers of every codec and acks, plain and idempotent,
// and proves every join by the segments; DumpLogSegments says the same of
// them. Then it does to the log what makes a proof impossible, and what makes
// it fail.
func TestVerify(t *testing.T) {
	trial.NeedRoot(t)
	c := quick()
	c.Broker = map[string]string{"log.cleaner.backoff.ms": "300", "log.segment.delete.delay.ms": "100", "file.delete.delay.ms": "100"}
	s := set(t, c)
	s.load(t)
	s.mustMake(t, proven)
	file := filepath.Join(s.Run.Dir, "verify.pcapng")
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, nil, "--record", file)
	time.Sleep(time.Second) // packets are seen some 100 ms after the probes
	s.sendMixed(t)
	java, err := s.Broker.Produce(7, kafka.Load{Topic: "mixed", PerSecond: 1000, RecordSize: 200, Records: 3000,
		Properties: map[string]string{"compression.type": "zstd", "batch.size": "2000"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := java.Summary(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	trial.Stop(t, ts)
	if err := s.StopLoad(); err != nil {
		t.Fatal(err)
	}
	found, _ := s.mustVerify(t, file, 0)
	// The cleaner is quick: what it rewrote meanwhile is told, all else proved.
	// Without acks, what the broker rewrites (50 batches of stamped, 40 of packed)
	// is joined by its place alone.
	if found.Verified+found.Reasons["compacted"] != found.Joined || found.Inferred > 90 || found.Rewritten < 180 {
		t.Errorf("%+v", found)
	}
	for topic := range proven {
		t.Run("headers of "+topic, func(t *testing.T) { s.headersAgree(t, topic) })
	}
	t.Run("dump", func(t *testing.T) { s.dumpAgrees(t, file, found) })
	t.Run("unverifiable", func(t *testing.T) { s.unverifiable(t, file) })
	t.Run("wrong", func(t *testing.T) { s.tampered(t, file) })
}

func (s *stage) mustMake(t *testing.T, topics map[string]map[string]string) {
	t.Helper()
	cl := s.client(t)
	req := kmsg.NewPtrCreateTopicsRequest()
	for name, configs := range topics {
		x := kmsg.NewCreateTopicsRequestTopic()
		x.Topic, x.NumPartitions, x.ReplicationFactor = name, 1, 1
		for k, v := range configs {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = k, &v
			x.Configs = append(x.Configs, c)
		}
		req.Topics = append(req.Topics, x)
	}
	resp, err := req.RequestWith(t.Context(), cl)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range resp.Topics {
		if err := kerr.ErrorForCode(x.ErrorCode); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *stage) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(s.Broker.Address()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// sendMixed writes to every topic, with every codec, with and without acks,
// idempotent and not.
func (s *stage) sendMixed(t *testing.T) {
	t.Helper()
	plain := kgo.DisableIdempotentWrite()
	for _, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		for _, opts := range [][]kgo.Opt{
			{kgo.RequiredAcks(kgo.NoAck()), plain}, {kgo.RequiredAcks(kgo.LeaderAck()), plain}, {kgo.RequiredAcks(kgo.AllISRAcks())},
		} {
			cl := s.client(t, append(opts, kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(0))...)
			for topic := range proven {
				for range 10 {
					if err := cl.ProduceSync(t.Context(), keyed(topic, 1), keyed(topic, 2)).FirstErr(); err != nil {
						t.Fatal(topic, err)
					}
				}
			}
			cl.Close()
		}
	}
}

var sent int // makes every batch another one: without acks only its bytes tell it

func keyed(topic string, n int) *kgo.Record {
	sent++
	return &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "k%d", n), Value: []byte(strings.Repeat(fmt.Sprint("value ", sent), 20)),
		Headers: []kgo.RecordHeader{{Key: "message-id", Value: fmt.Append(nil, "m-", sent)}}}
}

// mustVerify runs tailspan verify, which must end with this exit code.
func (s *stage) mustVerify(t *testing.T, file string, code int, dirs ...string) (found report.Verification, wrong []report.WrongRow) {
	t.Helper()
	if len(dirs) == 0 {
		dirs = []string{s.LogDir}
	}
	args := []string{"verify", file, "--format", "jsonl", "--log-dir", strings.Join(dirs, ",")}
	cmd := exec.CommandContext(t.Context(), s.Bin, args...)
	log, err := os.Create(filepath.Join(s.Dir, "verify.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	begin := time.Now()
	out, _ := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d, see %s:\n%.3000s", got, code, log.Name(), out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines[:len(lines)-1] {
		var row report.WrongRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		wrong = append(wrong, row)
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &found); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %+v", time.Since(begin).Round(time.Millisecond), found)
	if found.Joined != found.Verified+found.Wrong+found.Unverifiable {
		t.Error("the counts do not add up")
	}
	return found, wrong
}

// unverifiable: the cleaner has rewritten one log, and a topic is made again.
func (s *stage) unverifiable(t *testing.T, file string) {
	cl := s.client(t)
	time.Sleep(1500 * time.Millisecond) // the next record rolls the segment
	if err := cl.ProduceSync(t.Context(), keyed("compacted", 1)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	cleaned := func() bool {
		b, _ := os.ReadFile(filepath.Join(s.LogDir, "cleaner-offset-checkpoint"))
		return strings.Contains(string(b), "compacted 0 ")
	}
	if err := s.Broker.Until(t.Context(), time.Minute, cleaned); err != nil {
		t.Fatal(err)
	}
	name := "again"
	req := kmsg.NewPtrDeleteTopicsRequest()
	x := kmsg.NewDeleteTopicsRequestTopic()
	x.Topic = &name
	req.Topics, req.TopicNames = append(req.Topics, x), []string{name}
	if _, err := req.RequestWith(t.Context(), cl); err != nil {
		t.Fatal(err)
	}
	away := func() bool { _, err := os.Stat(filepath.Join(s.LogDir, "again-0")); return err != nil }
	if err := s.Broker.Until(t.Context(), time.Minute, away); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	s.mustMake(t, map[string]map[string]string{name: nil})
	fresh := s.client(t)
	if err := fresh.ProduceSync(t.Context(), keyed(name, 1)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	found, _ := s.mustVerify(t, file, 0)
	if found.Reasons["topic recreated"] < 100 || found.Reasons["compacted"] < 50 || len(found.Reasons) != 2 {
		t.Errorf("%+v", found)
	}
}

// tampered: a byte of a segment, two segments that changed places.
func (s *stage) tampered(t *testing.T, file string) {
	dir := filepath.Join(s.Run.Dir, "tampered")
	if err := os.CopyFS(dir, os.DirFS(s.LogDir)); err != nil {
		t.Fatal(err)
	}
	mixed, stamped := filepath.Join(dir, "mixed-0", "00000000000000000000.log"), filepath.Join(dir, "stamped-0", "00000000000000000000.log")
	a, err := os.ReadFile(mixed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(stamped)
	if err != nil {
		t.Fatal(err)
	}
	a[len(a)/2] ^= 0x10
	if err := os.WriteFile(mixed, a, 0o644); err != nil {
		t.Fatal(err)
	}
	if found, wrong := s.mustVerify(t, file, 1, dir); found.Wrong != 1 || len(wrong) != 1 || wrong[0].Topic != "mixed" {
		t.Errorf("a byte: %+v, %+v", found, wrong)
	}
	if err := errors.Join(os.WriteFile(mixed, b, 0o644), os.WriteFile(stamped, a, 0o644)); err != nil {
		t.Fatal(err)
	}
	if found, wrong := s.mustVerify(t, file, 1, dir); found.Wrong < 200 || len(wrong) != 20 {
		t.Errorf("swapped: %+v, %d listed", found, len(wrong))
	}
}
