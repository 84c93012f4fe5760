package otlp

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// place is an address on loopback where collectors of one protocol come and
// go, and what they all took.
type place struct {
	addr, protocol string

	mu  sync.Mutex
	got map[string]int // times that a trace arrived, by its id
}

// answer is what a collector says.
type answer struct {
	code     codes.Code    // as gRPC has it
	http     int           // as HTTP has it
	delay    time.Duration // that it asks for, in whole seconds
	rejected int64         // spans, of what it takes
}

// behaviour decides on a request of so many traces; take takes them.
type behaviour func(ctx context.Context, traces int, take func()) answer

func takes(_ context.Context, _ int, take func()) answer {
	take()
	return answer{}
}

// open starts a real server at the place, and returns how to end it: what it
// is working on it answers, unless it ends abruptly.
func (p *place) open(t *testing.T, b behaviour, cert *tls.Certificate) (stop func(abruptly bool)) {
	var config *tls.Config
	if cert != nil {
		config = &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{"h2", "http/1.1"}}
	}
	l := p.listen(t)
	if p.protocol == protocolGRPC {
		var o []grpc.ServerOption
		if config != nil {
			o = append(o, grpc.Creds(credentials.NewTLS(config)))
		}
		s := grpc.NewServer(o...)
		collectorpb.RegisterTraceServiceServer(s, &grpcPlace{place: p, behaviour: b})
		go func() { _ = s.Serve(l) }()
		return func(abruptly bool) {
			if abruptly {
				s.Stop()
			} else {
				s.GracefulStop()
			}
		}
	}
	s := &http.Server{Handler: &httpPlace{p, b}, ErrorLog: log.New(io.Discard, "", 0)}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	go func() { _ = s.Serve(l) }()
	return func(abruptly bool) {
		if !abruptly {
			_ = s.Shutdown(context.Background())
		}
		_ = s.Close()
	}
}

// openRaw starts what is no collector: each connection is handed to f.
func (p *place) openRaw(t *testing.T, f func(*net.TCPConn)) (stop func(bool)) {
	l := p.listen(t)
	var mu sync.Mutex
	var open []net.Conn
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			go f(c.(*net.TCPConn))
		}
	}()
	return func(bool) {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			c.Close()
		}
	}
}

func (p *place) listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		t.Error(err)
		return &net.TCPListener{}
	}
	return l
}

// arrived says how many traces came, and how many more than once.
func (p *place) arrived() (traces, twice int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.got {
		if n > 1 {
			twice++
		}
	}
	return len(p.got), twice
}

func (p *place) decide(ctx context.Context, b behaviour, r *collectorpb.ExportTraceServiceRequest) answer {
	roots := map[string]int{}
	for _, rs := range r.ResourceSpans {
		for _, s := range rs.ScopeSpans[0].Spans {
			if s.ParentSpanId == nil {
				roots[string(s.TraceId)]++
			}
		}
	}
	return b(ctx, len(roots), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for id, n := range roots {
			p.got[id] += n
		}
	})
}

func (a answer) reply() *collectorpb.ExportTraceServiceResponse {
	r := &collectorpb.ExportTraceServiceResponse{}
	if a.rejected > 0 {
		r.PartialSuccess = &collectorpb.ExportTracePartialSuccess{RejectedSpans: a.rejected, ErrorMessage: "too old"}
	}
	return r
}

type grpcPlace struct {
	collectorpb.UnimplementedTraceServiceServer
	*place
	behaviour behaviour
}

func (p *grpcPlace) Export(ctx context.Context, r *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	a := p.decide(ctx, p.behaviour, r)
	if a.code == codes.OK {
		return a.reply(), nil
	}
	s := status.New(a.code, "as the test wants it")
	if a.delay > 0 {
		s, _ = s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(a.delay)})
	}
	return nil, s.Err()
}

type httpPlace struct {
	*place
	behaviour behaviour
}

func (p *httpPlace) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	req, err := readRequest(r)
	if err != nil {
		return
	}
	a := p.decide(r.Context(), p.behaviour, req)
	if a.code == codes.OK {
		writeProto(rw, http.StatusOK, a.reply())
		return
	}
	if a.delay > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(int(a.delay.Seconds())))
	}
	rw.WriteHeader(a.http)
}
