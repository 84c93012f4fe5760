package kafka

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// Load is what one producer sends.
type Load struct {
	Topic      string
	PerSecond  int
	RecordSize int
	Records    int64             // 0: until it is stopped
	Properties map[string]string // acks, batch.size, …
	Protocol   Protocol          // of the listener; "": the first
	Mechanism  Mechanism         // of a SASL listener
	Login      Login             // of a SASL listener; zero: Lab
	Payloads   string            // file with a value a line, to be drawn from; "": random ones of RecordSize
}

// Producer is a running ProducerPerformance.
type Producer struct {
	*child.Process
}

// Produce starts the nth producer.
func (b *Broker) Produce(n int, l Load) (*Producer, error) {
	if l.Records == 0 {
		l.Records = math.MaxInt64
	}
	args := []string{"--topic", l.Topic, "--num-records", strconv.FormatInt(l.Records, 10),
		"--throughput", strconv.Itoa(l.PerSecond)}
	if l.Payloads != "" {
		args = append(args, "--payload-file", l.Payloads)
	} else {
		args = append(args, "--record-size", strconv.Itoa(l.RecordSize))
	}
	config, err := b.producerConfig(n, l)
	if err != nil {
		return nil, err
	}
	args = append(args, "--producer.config", config)
	log := filepath.Join(b.OutputDir, fmt.Sprintf("producer-%d.log", n))
	p, err := child.Start(fmt.Sprintf("producer %d", n), log,
		b.Dist.tool(context.Background(), "org.apache.kafka.tools.ProducerPerformance", args...))
	if err != nil {
		return nil, err
	}
	return &Producer{p}, nil
}

// producerConfig writes the nth producer's settings to a file: on the command line
// the tool takes none with a "=" in it, as a login has.
func (b *Broker) producerConfig(n int, l Load) (file string, err error) {
	access := b.Access(cmp.Or(l.Protocol, b.first()), l.Mechanism)
	access.Login = l.Login
	props := access.Java()
	props["client.id"] = fmt.Sprintf("producer-%d", n)
	maps.Copy(props, l.Properties)
	file = filepath.Join(b.Dir, fmt.Sprintf("producer-%d.properties", n))
	if err := os.WriteFile(file, propertiesFile(props), 0o600); err != nil {
		return "", fmt.Errorf("configure producer: %w", err)
	}
	return file, nil
}

// Stop ends the producer; what it sent by then is in its log.
func (p *Producer) Stop() { _ = p.Process.Stop(syscall.SIGTERM, stopWithin) }

// Summary is what a producer that sent all its records says at its end.
type Summary struct {
	Records             int64
	Average, Max        time.Duration
	P50, P95, P99, P999 time.Duration
	RecordsPerSecond    float64
}

// summaryLine is ProducerPerformance's last line.
var summaryLine = regexp.MustCompile(`^(\d+) records sent, ([\d.]+) records/sec .*, ([\d.]+) ms avg latency, ([\d.]+) ms max latency, (\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th, (\d+) ms 99\.9th\.`)

// Summary waits for the producer to have sent all, and returns what it says.
func (p *Producer) Summary(ctx context.Context) (*Summary, error) {
	if err := p.Wait(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w, see %s", p.Name, err, p.Log)
	}
	out, err := p.Output()
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(out) {
		if m := summaryLine.FindStringSubmatch(line); m != nil {
			return parseSummary(m), nil
		}
	}
	return nil, fmt.Errorf("%s: no summary in %s", p.Name, p.Log)
}

func parseSummary(m []string) *Summary {
	number := func(s string) float64 { f, _ := strconv.ParseFloat(s, 64); return f } // digits, says the pattern
	ms := func(s string) time.Duration { return time.Duration(number(s) * float64(time.Millisecond)) }
	return &Summary{
		Records: int64(number(m[1])), RecordsPerSecond: number(m[2]),
		Average: ms(m[3]), Max: ms(m[4]), P50: ms(m[5]), P95: ms(m[6]), P99: ms(m[7]), P999: ms(m[8]),
	}
}
