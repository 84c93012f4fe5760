package sidecar

import (
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/probe"
	"github.com/tailspan/tailspan/sidecar/recording"
	"github.com/tailspan/tailspan/sidecar/report/progress"
	"github.com/tailspan/tailspan/sidecar/report/screen"
	"github.com/tailspan/tailspan/sidecar/topics"
	"github.com/tailspan/tailspan/spans"
	"github.com/tailspan/tailspan/spans/otlp"
)

// maxQueued bounds the events between the sources and the assembler.
const maxQueued = 1 << 17

// Sidecar is one pipeline; New makes it, Run or Replay uses it up.
type Sidecar struct {
	config  config.Config
	log     *slog.Logger
	version string
	pushes  bool // metrics, over OTLP

	clock     *event.Clock
	topics    *topics.Table
	queue     *event.Queue
	decoder   *capture.Decoder
	probes    *probe.Converter
	symbols   *probe.Symbols
	assembler *assemble.Assembler
	out       *output
	task      *progress.Task
	view      *liveView                       // nil: none
	push      func(event.Source, event.Event) // to the queue, at once or in batches
	record    *recording.Writer               // nil: not recorded

	assembling sync.Mutex // held while the assembler and what takes its output are at work
	assembled  event.Time // up to where

	mu      sync.Mutex
	brokers map[int32]*known

	monitors monitorsWatched

	recorded *recorded     // of a replay of a recording
	waits    *waits        // of a replay, from elsewhere; nil: none
	appends  *appendReader // of a run; nil: a recording has what it read
}

// known is a broker that is traced, or was.
type known struct {
	recording.Broker
	identity assemble.Identity
	gone     bool
	since    time.Time
	logDirs  []string // that can be opened by us
}

// Options are what a Sidecar cannot find out by itself.
type Options struct {
	Config  config.Config
	Logger  *slog.Logger
	Stdout  io.Writer
	Version string
	Export  bool // traces, to the OTLP endpoint of the environment
	Push    bool // metrics, likewise

	View     *screen.Screen // where a run shows its live view; nil: nowhere
	Progress *progress.Task // told of what a replay reads, a recording's growth; nil: nobody is
}

// New makes the pipeline, without a source.
func New(o Options) (*Sidecar, error) {
	s := &Sidecar{
		config: o.Config, log: o.Logger, version: o.Version, pushes: o.Push, task: o.Progress,
		clock: &event.Clock{}, queue: event.NewQueue(maxQueued),
		topics: topics.New(o.Logger), symbols: probe.NewSymbols(), brokers: map[int32]*known{},
	}
	if o.Config.TopicIDs != "" {
		if err := s.topics.LoadFile(o.Config.TopicIDs); err != nil {
			return nil, err
		}
	}
	var err error
	if s.out, err = newOutput(o); err != nil {
		return nil, err
	}
	s.view = newLiveView(o)
	s.push = s.queue.Push
	s.probes = probe.New(probe.Options{
		Emit:   func(e event.Event) { s.push(event.Probes, e) },
		Logger: o.Logger,
		Symbol: s.symbols.Name,
	})
	s.assembler = assemble.New(assemble.Options{
		Clock: s.clock, Identity: s.identity, Output: s.out, Rows: s.out.rows(), Measures: s.measures(), ReadHeaders: s.readHeaders,
		AdoptParent: s.config.AdoptParent,
	})
	return s, nil
}

// newDecoder is made apart, for live and replay differ in where what is known
// of records comes from.
func (s *Sidecar) newDecoder(o capture.Options) {
	o.Clock, o.Topics, o.Logger = s.clock, s.topics, s.log
	o.MessageIDHeader, o.TraceContext = s.config.MessageIDHeader, s.contexts()
	o.Emit = func(e event.Event) { s.push(event.Packets, e) }
	d := capture.NewDecoder(o)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decoder = d
}

// decoded counts what the decoder did. It may be called by any goroutine.
func (s *Sidecar) decoded() capture.Stats {
	s.mu.Lock()
	d := s.decoder // a replay begins with one that knows nothing of the recording's options
	s.mu.Unlock()
	return d.Stats()
}

// readHeaders is told by the assembler of appends whose headers it waits for.
func (s *Sidecar) readHeaders(w *event.Write) {
	if s.appends != nil {
		s.appends.ask(w)
	}
}

// contexts says whether trace contexts are read: to look at every record costs
// much, and only traces and recordings show what it finds; but where it decides
// on a trace's id, all that names one has to know.
func (s *Sidecar) contexts() bool {
	return s.config.TraceContext && (s.out.traces() || s.config.AdoptParent || s.record != nil)
}

// identity is asked by the assembler, once a broker.
func (s *Sidecar) identity(pid int32) assemble.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.brokers[pid]; k != nil {
		return k.identity
	}
	return assemble.Identity{Resource: resource(recording.Broker{Node: -1})}
}

// adopt makes a broker known to all stages that need no kernel. Its log dirs are
// those that can be opened here: of a replay there are none.
func (s *Sidecar) adopt(b recording.Broker, logDirs []string) {
	s.mu.Lock()
	s.brokers[b.PID] = &known{Broker: b, since: time.Now(), logDirs: logDirs, identity: assemble.Identity{
		Cluster: b.Cluster, Node: b.Node, Resource: resource(b), Encrypted: len(b.Encrypted) > 0, HeadersFromLog: b.HeadersFromLog}}
	s.mu.Unlock()
	for dev, fs := range b.Devices {
		s.probes.FileSystem(dev, fs)
	}
	for _, dev := range slices.Sorted(maps.Keys(b.Disks)) { // a replay's events come in the same order
		s.probes.Disks(dev, b.Disks[dev])
	}
	s.decoder.SetListeners(s.listeners())
}

// resource is who a broker's spans are about. Without an address of its own
// (a listener on all, a plain capture) Jaeger is given the loopback one: what
// it wants is that all spans of a trace have the same.
func resource(b recording.Broker) *spans.Resource {
	ip, instance := netip.AddrFrom4([4]byte{127, 0, 0, 1}), ""
	for i, l := range slices.Concat(b.Listeners, b.Encrypted) {
		if i == 0 {
			instance = net.JoinHostPort(b.Host, strconv.Itoa(int(l.Port())))
		}
		if !l.Addr().IsUnspecified() {
			ip = l.Addr()
			break
		}
	}
	return otlp.BrokerResource(otlp.Broker{
		Instance: instance, Cluster: b.Cluster, Node: b.Node, PID: b.PID, Executable: b.Executable, RuntimeVersion: b.JDK,
		Host: b.Host, Arch: b.Arch, OS: b.OS, IP: ip, Kubernetes: b.Kubernetes,
	})
}

// listeners of --port and of all brokers that live: of two for one port the
// last counts, and only a broker's says whose it is.
func (s *Sidecar) listeners() (all []capture.Listener) {
	if p := s.config.Port; p != 0 {
		all = append(all, capture.Listener{Addr: netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(p))})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for pid, k := range s.brokers {
		for _, l := range k.Listeners {
			if !k.gone {
				all = append(all, capture.Listener{Addr: l, PID: pid})
			}
		}
	}
	return all
}

// lose makes a broker's end known to all stages.
func (s *Sidecar) lose(g recording.Gone) {
	s.mu.Lock()
	if k := s.brokers[g.PID]; k != nil {
		k.gone = true
	}
	s.mu.Unlock()
	s.monitors.forget(g.PID)
	s.decoder.SetListeners(s.listeners())
	s.push(event.Packets, &event.Gone{Time: g.Time, PID: g.PID})
}

// advance hands on the events up to mark.
func (s *Sidecar) advance(mark event.Time) error {
	if s.out.page != nil && mark > 0 { // a source has been read
		s.out.page.tick(s.clock.Unix(mark))
	}
	s.assembling.Lock()
	defer s.assembling.Unlock()
	s.queue.Advance(mark, s.assembler.Handle)
	s.assembler.Tick(mark)
	s.assembled = mark
	s.out.tick(s.clock.Unix(mark))
	return s.out.flush()
}

// rest hands on all events that there are.
func (s *Sidecar) rest() {
	s.assembling.Lock()
	defer s.assembling.Unlock()
	s.queue.Advance(math.MaxInt64, s.assembler.Handle)
}

// ended finishes what is under way: there are no more events.
func (s *Sidecar) ended() {
	s.assembling.Lock()
	defer s.assembling.Unlock()
	s.assembler.Close()
	s.out.sampler.Close()
}
