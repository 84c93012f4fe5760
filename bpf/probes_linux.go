package bpf

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/bits"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
)

// Options of [Open]; the zero value is good.
type Options struct {
	// RingSize is the ring buffer's size in bytes, rounded up to a power of
	// two of at least a page; 0: 4 MiB.
	RingSize int
	Logger   *slog.Logger // nil: silence

	// NoVectors leaves out writev(2) and pwritev(2). Kafka writes its segments
	// by write(2), and sends every response by writev(2): seeing those costs
	// the broker some 1 % of its CPU, for nothing.
	NoVectors bool

	// SlowWait is how long a thread must wait for a journal for that to be sent;
	// 0: 50 µs, less: each wait is.
	SlowWait time.Duration

	// SlowForce is how long a force of a log of XFS must take to be sent; 0:
	// 1 ms, less: each is.
	SlowForce time.Duration

	// StackFrom is how long a stay off the CPU inside a write or an fsync must be
	// to be sent with its stack; 0: 50 µs, less: each is.
	StackFrom time.Duration

	// SampleRate is how often a second each CPU is asked what it does inside a
	// write or an fsync; 0: 49, less: never, at most 1000.
	SampleRate int

	// SlowIO is how long a disk's request must take to be sent; 0: 1 ms, less:
	// each is.
	SlowIO time.Duration

	// NoParks leaves out the parks of threads that the scheduler's events tell.
	NoParks bool

	// Backends, unless nil, are the only ones that are tried: for comparing
	// them.
	Backends []string

	old  bool     // a test's: as if before Linux 6.2
	mark string   // likewise: the name of all programs and maps in the kernel
	see  []string // likewise: the only subjects, unless nil
}

const (
	defaultRingSize = 4 << 20
	maxRingSize     = 1 << 30

	// wakeShare is the part of the ring that fills before the reader is woken.
	wakeShare = 8
)

// Probes are the programs in the kernel and the ring that their records leave
// by. Nothing is seen before [Probes.Trace] names a process. Closing detaches
// everything, and so does the death of this process.
//
// All methods may be called from any goroutine.
type Probes struct {
	log       *slog.Logger
	tracefs   string
	noTracefs error    // why there is none
	only      []string // backends; nil: all
	spec      *ebpf.CollectionSpec
	shared    *ebpf.Collection // the maps of all programs
	ring      *ring

	mu       sync.Mutex
	subjects []Subject
	loaded   []*ebpf.Collection
	links    []io.Closer
	sites    sites
	closed   bool
}

// Open loads and attaches what this kernel offers; [Probes.Status] says what
// that is. It is an error only when there is nothing at all.
func Open(o Options) (*Probes, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Probes{log: o.Logger, only: o.Backends}
	if err := p.create(&o); err != nil {
		return nil, errors.Join(judge(err), p.Close())
	}
	p.tracefs, p.noTracefs = findTracefs(p.log)
	if err := errors.Join(p.chooseReads(&o), o.setBounds(p.spec)); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	for _, sub := range o.subjects() {
		p.attachSubject(sub)
	}
	if err := p.followWrites(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.openSites()
	if err := p.nothing(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func ringSize(n int) uint32 {
	if n <= 0 {
		n = defaultRingSize
	}
	n = max(min(n, maxRingSize), os.Getpagesize())
	return 1 << bits.Len(uint(n-1))
}

// create makes what all programs share: the maps, and the ring's reading end.
func (p *Probes) create(o *Options) error {
	if err := rlimit.RemoveMemlock(); err != nil {
		return fmt.Errorf("lift memlock limit: %w", err)
	}
	var err error
	if p.spec, err = loadProbes(); err != nil {
		return fmt.Errorf("read programs: %w", err)
	}
	if o.mark != "" {
		for _, prog := range p.spec.Programs {
			prog.Name = o.mark
		}
		for name, m := range p.spec.Maps {
			if name != ".rodata" { // known by its name
				m.Name = o.mark
			}
		}
	}
	size := ringSize(o.RingSize)
	p.spec.Maps[probesMapRing].MaxEntries = size
	if err := p.spec.Variables[probesVarWakeBytes].Set(uint64(size / wakeShare)); err != nil {
		return fmt.Errorf("set %s: %w", probesVarWakeBytes, err)
	}
	maps := p.spec.Copy()
	maps.Programs, maps.Variables = nil, nil
	delete(maps.Maps, ".rodata")
	if p.shared, err = ebpf.NewCollection(maps); err != nil {
		return fmt.Errorf("create maps: %w", err)
	}
	if p.ring, err = openRing(p.shared.Maps[probesMapRing].FD(), size); err != nil {
		return fmt.Errorf("open ring: %w", err)
	}
	return nil
}

// followWrites: wake-ups are seen where writes are, by the same programs.
func (p *Probes) followWrites() error {
	i := slices.IndexFunc(p.subjects, func(s Subject) bool { return s.Name == SubjectWrite })
	if i < 0 {
		return nil
	}
	wake := p.subjects[i]
	wake.Name = SubjectWake
	p.add(wake)
	if !wake.Attached {
		return nil
	}
	if err := p.spec.Variables[probesVarWakes].Set(true); err != nil {
		return fmt.Errorf("set %s: %w", probesVarWakes, err)
	}
	return nil
}

// load puts the named programs of spec into the kernel, on the shared maps.
func (p *Probes) load(spec *ebpf.CollectionSpec, names ...string) (*ebpf.Collection, error) {
	programs := map[string]*ebpf.ProgramSpec{}
	for _, name := range names {
		programs[name] = spec.Programs[name]
	}
	spec.Programs = programs
	return ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: p.shared.Maps})
}

// keep holds on to what Close has to undo.
func (p *Probes) keep(loaded []*ebpf.Collection, links []io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loaded = append(p.loaded, loaded...)
	p.links = append(p.links, links...)
}

func (p *Probes) add(s Subject) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subjects = append(p.subjects, s)
}

// nothing is the error of all subjects, if none of them works.
func (p *Probes) nothing() error {
	var all error
	for _, s := range p.Status() {
		if s.Err == nil || s.Attached {
			return nil
		}
		all = errors.Join(all, fmt.Errorf("%s: %w", s.Name, s.Err))
	}
	return all
}

// Status says how each subject is.
func (p *Probes) Status() []Subject {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Subject(nil), p.subjects...)
}

// Close detaches everything and ends a [Probes.Read] under way with
// [os.ErrClosed]. Records still in the ring are gone.
func (p *Probes) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	err := closeAll(p.links)
	p.mu.Unlock()

	err = errors.Join(err, p.sites.close())
	for _, c := range p.loaded {
		c.Close()
	}
	if p.ring != nil {
		err = errors.Join(err, p.ring.close())
	}
	if p.shared != nil {
		p.shared.Close()
	}
	return err
}
