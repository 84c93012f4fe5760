package guest

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/probe"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/spans"
)

// pipeline is what makes spans of the kernel's records, as in the sidecar.
type pipeline struct {
	probes    *bpf.Probes
	subjects  map[string]bool   // that are seen
	backends  map[string]string // by which
	missing   map[string]error  // what is not seen of those that are
	symbols   *probe.Symbols
	converter *probe.Converter
	queue     *event.Queue
	device    event.Device
	events    []event.Event // of the kernel, as they came
	stop      chan struct{}
	read      chan error

	requests []*assemble.RequestRow
	joined   []*assemble.JoinedRow
	commits  []*assemble.CommitRow
	traces   map[string]*spans.Trace // by id
}

const maxEvents = 1 << 20

// open attaches to all that is here, for this process.
func open(t *testing.T) *bpf.Probes {
	t.Helper()
	p, err := bpf.Open(bpf.Options{SlowIO: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Status() {
		t.Logf("%s: %s %v", s.Name, s.Backend, s.Err)
	}
	return p
}

// watch looks at a disk from now on.
func watch(t *testing.T, probes *bpf.Probes, m plan.Mount) *pipeline {
	t.Helper()
	p := &pipeline{probes: probes, queue: event.NewQueue(maxEvents), stop: make(chan struct{}), read: make(chan error, 1),
		subjects: map[string]bool{}, backends: map[string]string{}, missing: map[string]error{}, symbols: probe.NewSymbols(), traces: map[string]*spans.Trace{}}
	for _, s := range p.probes.Status() {
		p.subjects[s.Name], p.backends[s.Name], p.missing[s.Name] = s.Attached, s.Backend, s.Err
	}
	var st unix.Stat_t
	if err := unix.Stat(m.Dir, &st); err != nil {
		t.Fatal(err)
	}
	device := bpf.Device(st.Dev)
	p.device = event.Device(device)
	p.symbols.Functions(stack.NewKernel(slog.New(slog.NewTextHandler(t.Output(), nil))).Function)
	p.converter = probe.New(probe.Options{Emit: p.emit, Symbol: p.symbols.Name})
	p.converter.FileSystem(event.Device(device), m.Type)
	p.converter.Disks(event.Device(device), []event.Device{event.Device(device)}) // no partitions
	if err := p.probes.WatchDisk(device); err != nil {
		t.Fatal(err)
	}
	if err := p.probes.WatchDevice(device); err != nil {
		t.Fatal(err)
	}
	go func() { p.read <- p.drain() }()
	return p
}

func (p *pipeline) emit(e event.Event) {
	p.events = append(p.events, e)
	p.queue.Push(event.Probes, e)
}

func (p *pipeline) record(raw []byte) {
	hidden, _ := p.symbols.Hide(raw)
	p.converter.Record(hidden)
}

// drain reads until it is told to stop, and then up to that moment.
func (p *pipeline) drain() error {
	until := event.Time(1 << 62)
	for {
		mark, err := p.probes.Read(10*time.Millisecond, p.record)
		if err != nil || event.Time(mark) > until {
			return err
		}
		select {
		case <-p.stop:
			until, p.stop = now(), nil
		default:
		}
	}
}

// assemble ends the reading and makes spans: each write is answered as the
// request that it belongs to.
func (p *pipeline) assemble(t *testing.T, all []written) {
	t.Helper()
	close(p.stop)
	if err := <-p.read; err != nil {
		t.Fatal(err)
	}
	if s, err := p.probes.Stats(); err != nil || s != (bpf.Stats{}) {
		t.Fatalf("%+v lost or missed, %v", s, err)
	}
	for i := range all {
		p.queue.Push(event.Packets, request(int32(i), &all[i]))
		p.queue.Push(event.Packets, response(int32(i), &all[i]))
	}
	a := assemble.New(assemble.Options{Clock: &event.Clock{}, Output: p,
		Identity: func(int32) assemble.Identity { return assemble.Identity{Cluster: "guest", Node: 1} },
		Rows:     assemble.Rows{Requests: true, Joined: true, Commits: true, Traces: true}})
	p.queue.Advance(1<<62, a.Handle)
	a.Close()
	if s := p.queue.Stats(); s.Dropped != 0 {
		t.Fatalf("%d events did not fit", s.Dropped)
	}
}

var (
	client = netip.MustParseAddrPort("127.0.0.1:40000")
	broker = netip.MustParseAddrPort("127.0.0.1:9092")
)

func request(correlation int32, w *written) *event.Request {
	at := w.before - 1000
	r := event.NewRequest(1)
	r.Arrival, r.LastByte, r.ArrivalUnix, r.LastByteUnix = at, at, int64(at), int64(at)
	r.Conn, r.Client, r.Broker, r.PID = 1, client, broker, int32(os.Getpid())
	r.APIVersion, r.CorrelationID, r.ClientID, r.Acks = 12, correlation, "guest", 1
	r.Partitions[0] = event.RequestPartition{TopicPartition: event.TopicPartition{Topic: topic},
		Bytes: int32(w.bytes), Records: perBatch, CRC: w.crc, ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}
	return r
}

func response(correlation int32, w *written) *event.Response {
	at := w.after + 1000
	if w.fsync != nil {
		at = w.fsync.after + 1000
	}
	r := event.NewResponse(1)
	r.Start, r.End, r.StartUnix, r.EndUnix = at, at, int64(at), int64(at)
	r.Conn, r.CorrelationID = 1, correlation
	r.Partitions[0] = event.ResponsePartition{TopicPartition: event.TopicPartition{Topic: topic}, BaseOffset: w.base, LogAppendTime: -1}
	return r
}

// The rows and traces that come out; assemble.Output.
func (p *pipeline) Request(r *assemble.RequestRow) { p.requests = append(p.requests, r.Clone()) }
func (p *pipeline) Write(*assemble.WriteRow)       {}
func (p *pipeline) Joined(r *assemble.JoinedRow)   { p.joined = append(p.joined, r) }
func (p *pipeline) Wait(*assemble.WaitRow)         {}
func (p *pipeline) Commit(r *assemble.CommitRow) {
	if r.Device == fmt.Sprintf("%d:%d", p.device.Major(), p.device.Minor()) {
		p.commits = append(p.commits, r)
	}
}
func (p *pipeline) Stack(*assemble.StackRow)   {}
func (p *pipeline) Trace(c assemble.Candidate) { p.traces[c.Summary().ID.String()] = c.BuildTrace() }

// of are the events of one type.
func of[E event.Event](p *pipeline) (all []E) {
	for _, e := range p.events {
		if e, ok := e.(E); ok {
			all = append(all, e)
		}
	}
	return all
}
