package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// Options of Start.
type Options struct {
	// Addr is host:port; port 0 takes any.
	Addr string
	// Hosts are names, beside localhost and the host's own, by which requests
	// may ask for it.
	Hosts   []string
	Version string
	Log     *slog.Logger

	Metrics http.Handler // nil: there are none
	// Report writes the page of what goes on, or of the hour before; false where
	// there is none. nil: there is neither. One is made at a time.
	Report       func(w io.Writer, before bool) (bool, error)
	ReportPolicy string        // its Content-Security-Policy
	Health       func() Health // nil: nothing is told
	// Brokers are those that are traced at this moment. Like Health, it is
	// called by several goroutines, and must not block.
	Brokers  func() []Broker
	Index    *Index // nil: no trace is known as kept
	TraceURL TraceURL
	// AdoptParent says that requests may be parts of their producers' traces, so
	// that an id may stand in the records' headers.
	AdoptParent bool
}

// Broker is a traced broker, as far as finding its batches needs it.
type Broker struct {
	PID     int32
	Node    int32  // -1: unknown
	Cluster string // "": unknown
	// LogDirs can be opened as they are, as jvm.Broker's: below /proc/PID/root
	// where the broker has a mount namespace of its own.
	LogDirs []string
	// Since is from when on its requests are traced; zero: since Start.
	Since time.Time
}

// ErrInUse says that another process, or this one, listens there.
var ErrInUse = errors.New("the address is in use")

// Bounds of what a client may do.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second // a scrape may wait for its turn
	idleTimeout   = 2 * time.Minute  // longer than scrapes are apart
	maxHeader     = 16 << 10
)

// Server serves until Shutdown.
type Server struct {
	o     Options
	addr  net.Addr
	http  *http.Server
	names []string // that Host may be; nil: any
	since time.Time
	slots chan struct{} // of searches in logs
	pages chan struct{} // of reports
	done  chan struct{}

	mu    sync.Mutex
	stats Stats
}

// Stats counts what was asked.
type Stats struct {
	Kept     uint64 // lookups of a trace that was kept
	NotKept  uint64 // of one that was not
	Unknown  uint64 // of one that may have been
	NoTrace  uint64 // of what no request wrote, or no log here has
	Invalid  uint64 // whose parameters say nothing
	Unread   uint64 // searches in logs that could not be read, or not in time
	TooMany  uint64 // searches for which there was no room
	Refused  uint64 // requests of another method, or for another host
	NotFound uint64 // for a path that there is not
}

// Start listens, and serves on goroutines of its own. The error wraps ErrInUse
// where somebody else listens there.
func Start(o Options) (*Server, error) {
	if err := o.TraceURL.Check(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen at %s: %w: %w", o.Addr, ErrInUse, err)
	case err != nil:
		return nil, fmt.Errorf("listen at %s: %w", o.Addr, err)
	}
	s := newServer(o, l.Addr())
	go func() {
		defer close(s.done)
		if err := s.http.Serve(&limited{l, make(chan struct{}, maxConns)}); !errors.Is(err, http.ErrServerClosed) {
			s.o.Log.Error("metrics and lookups are served no longer", "addr", s.addr, "error", err)
		}
	}()
	return s, nil
}

func newServer(o Options, addr net.Addr) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Brokers == nil {
		o.Brokers = func() []Broker { return nil }
	}
	if o.Index == nil {
		o.Index = NewIndex(1, nil)
	}
	own, _ := os.Hostname() // without, it is not asked for by it
	s := &Server{o: o, addr: addr, names: namesOf(addr, own, o.Hosts), since: time.Now(),
		slots: make(chan struct{}, maxSearches), pages: make(chan struct{}, 1), done: make(chan struct{})}
	s.http = &http.Server{
		Handler: s.guard(s.paths()), ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
	}
	return s
}

func (s *Server) paths() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/{$}", s.index)
	m.HandleFunc("/healthz", s.health)
	m.HandleFunc("/trace", s.trace)
	if s.o.Report != nil {
		m.HandleFunc("/report", func(w http.ResponseWriter, r *http.Request) { s.report(w, r, false) })
		m.HandleFunc("/report/before", func(w http.ResponseWriter, r *http.Request) { s.report(w, r, true) })
	}
	if s.o.Metrics != nil {
		m.Handle("/metrics", s.o.Metrics)
	}
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.count(&s.stats.NotFound)
		http.NotFound(w, r)
	})
	return m
}

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Shutdown stops listening and waits for the requests under way; those that
// the context does not wait for are cut off.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("stop serving: %w", errors.Join(err, s.http.Close()))
	}
	<-s.done
	return err
}

// Stats counts what was asked.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

func (s *Server) count(n *uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}
