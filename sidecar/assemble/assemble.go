package assemble

import (
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// Bounds of the tables and of patience, in event time.
const (
	ms = event.Time(time.Millisecond)

	// linger is how long a finished request is kept open for what ends after
	// it: holders' responses, the commit that held its write.
	linger = event.Time(time.Second)
	// patience is how long beyond that an unresolved link is waited for.
	patience = event.Time(10 * time.Second)
	// requestExpiry ends a request without response (Kafka's default
	// delivery.timeout.ms is 120 s).
	requestExpiry = event.Time(120 * time.Second)
	// unansweredExpiry ends an acks=0 request whose writes did not come.
	unansweredExpiry = event.Time(10 * time.Second)
	// sweepEach is how often expired requests are looked for.
	sweepEach = event.Time(time.Second)
	// arrivalSlack is how much earlier than its request a write may seem to
	// begin, for packets and probes are stamped by different clocks.
	arrivalSlack = event.Time(50 * time.Microsecond)

	// latest leaves room to add to any instant; a recording may say anything.
	latest = event.Time(1 << 61)

	maxInFlight = 1 << 16 // requests per broker without a response
	maxParts    = 1 << 18 // and their partitions
	maxWrites   = 1 << 14 // writes per broker kept for joining
	maxLogs     = 1 << 16 // partitions per broker
	maxUnnamed  = 1 << 12 // topic ids per broker that are waited for
	maxRivals   = 64      // parts that wait for the same batch and are looked at
	maxFetches  = 1 << 12 // fetches of followers per broker that are in work
	maxThreads  = 1 << 14 // threads per broker
	maxMonitors = 1 << 14 // contended monitors per broker
	maxAsked    = 1 << 12 // appends whose record headers are waited for
	maxDevices  = 1 << 8  // file systems
)

// Output takes what is finished, on the goroutine that calls the Assembler. The
// rows of requests and writes are good until it returns.
type Output interface {
	Request(*RequestRow)
	Write(*WriteRow)
	Joined(*JoinedRow)
	Wait(*WaitRow)
	Commit(*CommitRow)
	Stack(*StackRow)
	// Trace offers a whole trace, not yet built.
	Trace(Candidate)
}

// offer hands a trace to Output, if anybody wants traces.
func (a *Assembler) offer(c Candidate) {
	if a.o.Rows.Traces {
		a.o.Output.Trace(c)
	}
}

// Candidate is a finished trace that is built only if somebody wants it.
type Candidate interface {
	Summary() spans.Summary // without a latency: worth keeping only where it is linked to
	BuildTrace() *spans.Trace
}

// Rows says which rows are wanted, and whether traces are; the others are not
// made.
type Rows struct{ Requests, Writes, Joined, Waits, Commits, Stacks, Traces bool }

// causes says whether anybody is told of requests' causes.
func (o *Options) causes() bool { return o.Rows.Requests || o.Rows.Traces || o.Measures != nil }

// Identity is who a broker is, as far as ids and traces need it.
type Identity struct {
	Cluster  string
	Node     int32
	Resource *spans.Resource
	// Encrypted says that the broker has a listener that cannot be read: an
	// append of which no request was seen may be a client's all the same.
	Encrypted bool
	// HeadersFromLog says that the record headers of such appends are read
	// from the segments: they come as event.AppendHeaders.
	HeadersFromLog bool
}

// Options of New.
type Options struct {
	Clock    *event.Clock
	Identity func(pid int32) Identity
	Output   Output
	Rows     Rows
	Measures Measures // nil: nobody measures
	// AdoptParent makes a request a part of its producer's trace, where all its
	// records carry one sampled context.
	AdoptParent bool
	// ReadHeaders, unless nil, is told of each append whose event.AppendHeaders
	// is waited for. It must not block.
	ReadHeaders func(*event.Write)
}

// Assembler joins events. Not safe for concurrent use.
type Assembler struct {
	o       Options
	now     event.Time
	brokers map[int32]*broker
	conns   map[event.Conn]*connection
	devices map[event.Device]*journal
	asked   map[appendKey]*request // appends whose headers are being read

	seesOffCPU bool // there are such events

	timers  timers
	stats   Stats
	numbers uint64 // of requests and appends so far

	phases []phase // scratch of judge
	stops  stops   // likewise
	order  []int   // scratch of written

	measure RequestMeasure    // scratch of measureRequest
	scratch scratch           // of requestRow and printWrite
	names   map[string]string // of roots, by topic
}

// broker is all that is known of one broker process.
type broker struct {
	pid      int32
	id       Identity
	inFlight int
	parts    int  // of the requests in flight
	swept    bool // a sweep is due
	byBatch  map[batchKey]waiters
	logs     map[event.TopicPartition]*log
	unnamed  map[[16]byte][]*part // parts whose topic's name is not known yet
	fetches  map[fetchKey]*fetch  // of followers, in work
	recent   writeRing
	threads  map[int32]*thread
	monitors map[uint64]*monitor
	pauses   ring[*event.Pause] // in the order of their ends
	watch    watch
}

// New returns an Assembler without any state.
func New(o Options) *Assembler {
	return &Assembler{
		o:       o,
		brokers: map[int32]*broker{},
		conns:   map[event.Conn]*connection{},
		devices: map[event.Device]*journal{},
		asked:   map[appendKey]*request{},
		names:   map[string]string{},
		scratch: scratch{addrs: map[netip.AddrPort]string{}},
		stats:   Stats{Dropped: map[string]uint64{}},
	}
}

// Handle takes the next event; what was due before it happens first.
func (a *Assembler) Handle(e event.Event) {
	if t := e.At(); t < 0 || t > latest {
		a.stats.BadTimes++
		return
	}
	a.fire(e.At() - 1)
	a.now = max(a.now, e.At())
	switch e := e.(type) {
	case *event.Request:
		a.request(e)
	case *event.Response:
		a.response(e)
	case *event.ConnLost:
		a.connLost(e)
	case *event.Fetch:
		a.fetch(e)
	case *event.Fetched:
		a.fetched(e)
	case *event.TopicName:
		a.topicName(e)
	case *event.Write:
		a.write(e)
	case *event.AppendHeaders:
		a.appendHeaders(e)
	case *event.DirtyInode:
		a.dirtyInode(e)
	case *event.OffCPU:
		a.offCPU(e)
	case *event.Sample:
		a.sample(e)
	case *event.CommitStart:
		a.commitStart(e)
	case *event.Commit:
		a.commit(e)
	case *event.Fsync:
		a.fsync(e)
	case *event.JournalWait:
		a.journalWait(e)
	case *event.FastCommit:
		a.fastCommit(e)
	case *event.LogForce:
		a.logForce(e)
	case *event.BlockIO:
		a.blockIO(e)
	case *event.MonitorEnter:
		a.monitorEnter(e)
	case *event.MonitorEntered:
		a.monitorEntered(e)
	case *event.MonitorExit:
		a.monitorExit(e)
	case *event.MonitorsWatched:
		a.monitorsWatched(e)
	case *event.Pause:
		a.pause(e)
	case *event.Park:
		a.park(e)
	case *event.Wake:
		a.wake(e)
	case *event.Gone:
		a.gone(e)
	}
}

// Tick says that every event up to t has been handled.
func (a *Assembler) Tick(t event.Time) { a.fire(t) }

// Close finishes everything, as far as it is known.
func (a *Assembler) Close() {
	for _, pid := range slices.Sorted(maps.Keys(a.brokers)) {
		a.lose(a.brokers[pid], "exit")
	}
	a.fire(math.MaxInt64)
}

func (a *Assembler) broker(pid int32) *broker {
	b := a.brokers[pid]
	if b == nil {
		b = &broker{
			pid:      pid,
			byBatch:  map[batchKey]waiters{},
			logs:     map[event.TopicPartition]*log{},
			unnamed:  map[[16]byte][]*part{},
			fetches:  map[fetchKey]*fetch{},
			recent:   writeRing{buf: make([]*write, 0, 64)},
			threads:  map[int32]*thread{},
			monitors: map[uint64]*monitor{},
		}
		if a.o.Identity != nil {
			b.id = a.o.Identity(pid)
		}
		a.brokers[pid] = b
	}
	return b
}

// packetsOnly says that no probes watch the broker, so that of it there will be
// neither writes nor waits.
func (b *broker) packetsOnly() bool { return b.pid == 0 }

func (a *Assembler) gone(e *event.Gone) {
	b := a.brokers[e.PID]
	if b == nil {
		return
	}
	a.lose(b, "broker ended")
	delete(a.brokers, e.PID) // what is unfinished keeps it; the pid may come again
}
