package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tailspan/tailspan/deploy/lab/cache"
)

// confluentKafka is the wheel that librdkafka comes in.
const confluentKafka = "2.16.1"

func librdkafka(ctx context.Context, o *Options) error {
	wheel := filepath.Join(o.CacheDir, "confluent-kafka-"+confluentKafka)
	err := cache.Once(wheel, func(dir string) error {
		fmt.Fprintln(o.Progress, "  getting librdkafka")
		return run(exec.CommandContext(ctx, "python3", "-m", "pip", "install", "-q", "--disable-pip-version-check",
			"--only-binary=:all:", "--no-deps", "--target", dir, "confluent-kafka=="+confluentKafka))
	})
	if err != nil {
		return fmt.Errorf("get librdkafka: %w", err)
	}
	source, err := program.ReadFile("program/produce.py")
	if err != nil {
		return err
	}
	options, err := json.Marshal(librdkafkaOptions(o))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "python3", "-c", string(source), o.File(), string(options))
	cmd.Env = append(os.Environ(), "PYTHONPATH="+wheel)
	return run(cmd)
}

func librdkafkaOptions(o *Options) map[string]any {
	config := map[string]any{
		"bootstrap.servers": o.Address, "client.id": o.ClientID, "acks": o.acks(),
		"enable.idempotence": o.Idempotent || o.Transactions > 0, "compression.type": o.Codec,
		"linger.ms": o.Linger.Milliseconds(), "message.max.bytes": 32 << 20,
		"max.in.flight.requests.per.connection": o.InFlight,
		"queue.buffering.max.messages":          maxUnacknowledged,
	}
	if o.BatchBytes == 1 {
		config["batch.num.messages"] = 1
	} else if o.BatchBytes > 0 {
		config["batch.size"] = o.BatchBytes
	}
	if id := o.transactionID(); id != "" {
		config["transactional.id"] = id
	}
	topics := [][]any{}
	for _, t := range o.Topics {
		topics = append(topics, []any{t.Name, max(t.Partitions, 1)})
	}
	return map[string]any{
		"topics": topics, "count": o.Count, "for_ns": o.For, "rate": o.Rate, "transactions": o.Transactions,
		"least": o.ValueBytes[0], "most": max(o.ValueBytes[0], o.ValueBytes[1]), "seed": o.Seed,
		"header": Header, "config": config,
	}
}
