package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// Client is a client's name.
type Client string

// The clients. Raw sends requests of its own making, see Shape.
const (
	Java       Client = "java"
	Librdkafka Client = "librdkafka"
	FranzGo    Client = "franz-go"
	Sarama     Client = "sarama"
	Raw        Client = "raw"
)

// Codecs and Acks are all that there are.
var (
	Codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}
	Acks   = []int16{0, 1, -1}
)

// Topic is a topic to produce to; it is made if it is not there.
type Topic struct {
	Name       string
	Partitions int32
	Replicas   int16             // 0: 1
	Config     map[string]string // message.timestamp.type, compression.type, …
}

// Options say what one client sends, and when it stops: after Count, or For.
type Options struct {
	Client   Client
	ClientID string // "": the client's name
	Address  string // the broker's
	Topics   []Topic
	Dir      string // where the record is kept, as ClientID.jsonl

	Count int           // records, or requests of Raw; 0: as many as the time allows
	For   time.Duration // 0: until Count is reached
	Rate  float64       // records, or requests of Raw, a second; 0: as fast as it goes

	Acks         int16
	Idempotent   bool // needs acks=all
	Transactions int  // records of a transaction; 0: none. Every third is aborted
	Codec        string
	ValueBytes   Range // of a record
	BatchBytes   int   // at most; 0: the client's default, 1: one record a batch
	Linger       time.Duration
	InFlight     int // requests on one connection; 0: 5

	Seed     uint64
	Raw      RawOptions
	Kafka    *kafka.Dist // the Java client is in its jars
	CacheDir string      // librdkafka and compiled classes
	Progress io.Writer   // nil: nobody watches
}

// Range is from its first to its second value, both included.
type Range [2]int

// ErrEndless says that neither a count nor a time bounds a run.
var ErrEndless = errors.New("neither Count nor For is set")

// File is where the record is kept.
func (o *Options) File() string { return filepath.Join(o.Dir, o.ClientID+".jsonl") }

func (o *Options) complete() error {
	if o.Count == 0 && o.For == 0 {
		return ErrEndless
	}
	if len(o.Topics) == 0 && (o.Client != Raw) {
		return errors.New("no topic")
	}
	if o.ClientID == "" {
		o.ClientID = string(o.Client)
	}
	if o.Codec == "" {
		o.Codec = "none"
	}
	if o.InFlight == 0 {
		o.InFlight = 5
	}
	if o.ValueBytes == (Range{}) {
		o.ValueBytes = Range{20, 200}
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	return nil
}

// Record makes the topics, runs the client, and leaves its record in File.
func Record(ctx context.Context, o *Options) error {
	if err := o.complete(); err != nil {
		return fmt.Errorf("client %s: %w", o.Client, err)
	}
	run := map[Client]func(context.Context, *Options) error{
		Java: java, Librdkafka: librdkafka, FranzGo: franz, Sarama: saramaGo, Raw: raw,
	}[o.Client]
	if run == nil {
		return fmt.Errorf("client %q is not known", o.Client)
	}
	if err := MakeTopics(ctx, o.Address, o.Topics); err != nil {
		return err
	}
	if err := run(ctx, o); err != nil {
		return fmt.Errorf("client %s: %w", o.ClientID, err)
	}
	return nil
}

// Run is Record, and reads the record.
func Run(ctx context.Context, o Options) ([]Sent, error) {
	if err := Record(ctx, &o); err != nil {
		return nil, err
	}
	var all []Sent
	err := Read(o.File(), func(s *Sent) error { all = append(all, *s); return nil })
	return all, err
}
