package clients

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/child"
)

//go:embed program
var program embed.FS

// ErrNoKafka says that Options lack the jars that the Java client is in.
var ErrNoKafka = errors.New("no Kafka is given")

func java(ctx context.Context, o *Options) error {
	if o.Kafka == nil {
		return ErrNoKafka
	}
	classes, err := compile(ctx, o)
	if err != nil {
		return err
	}
	args := []string{"-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", classes + string(os.PathListSeparator) + filepath.Join(o.Kafka.Libs, "*"), "Produce", o.File()}
	for k, v := range javaOptions(o) {
		args = append(args, k+"="+v)
	}
	return run(exec.CommandContext(ctx, o.Kafka.Java, args...))
}

func javaOptions(o *Options) map[string]string {
	batch := o.BatchBytes
	if batch == 1 {
		batch = 0 // as its documentation has it: no batching at all
	}
	p := map[string]string{
		"bootstrap.servers": o.Address, "client.id": o.ClientID, "acks": strconv.Itoa(int(o.acks())),
		"enable.idempotence": strconv.FormatBool(o.Idempotent || o.Transactions > 0), "compression.type": o.Codec,
		"linger.ms": strconv.FormatInt(o.Linger.Milliseconds(), 10), "max.request.size": "33554432",
		"max.in.flight.requests.per.connection": strconv.Itoa(o.InFlight),

		"lab.topics": joinTopics(o.Topics), "lab.count": strconv.Itoa(o.Count), "lab.for_ns": strconv.FormatInt(int64(o.For), 10),
		"lab.rate": fmt.Sprint(o.Rate), "lab.transactions": strconv.Itoa(o.Transactions), "lab.header": Header,
		"lab.least": strconv.Itoa(o.ValueBytes[0]), "lab.most": strconv.Itoa(max(o.ValueBytes[0], o.ValueBytes[1])),
		"lab.seed": strconv.FormatInt(int64(o.Seed), 10),
	}
	if o.BatchBytes > 0 {
		p["batch.size"] = strconv.Itoa(batch)
	}
	if id := o.transactionID(); id != "" {
		p["transactional.id"] = id
	}
	return p
}

func joinTopics(topics []Topic) string {
	var names []string
	for _, t := range topics {
		names = append(names, fmt.Sprintf("%s:%d", t.Name, max(t.Partitions, 1)))
	}
	return strings.Join(names, ",")
}

// compile makes the class, once for each source and Kafka.
func compile(ctx context.Context, o *Options) (string, error) {
	source, err := program.ReadFile("program/Produce.java")
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(append([]byte(o.Kafka.Libs), source...))
	classes := filepath.Join(o.CacheDir, fmt.Sprintf("java-client-%.4x", key))
	return classes, cache.Once(classes, func(dir string) error {
		file := filepath.Join(dir, "Produce.java")
		if err := os.WriteFile(file, source, 0o644); err != nil {
			return err
		}
		return run(exec.CommandContext(ctx, "javac", "-cp", filepath.Join(o.Kafka.Libs, "*"), "-d", dir, file))
	})
}

// run runs a program to its end; what it says is in the error.
func run(cmd *exec.Cmd) error {
	out, err := child.Guard(cmd).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, out[max(0, len(out)-outputTail):])
	}
	return nil
}

const outputTail = 2000
