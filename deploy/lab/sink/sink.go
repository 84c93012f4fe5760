package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"

	"google.golang.org/grpc"
)

// Message is one request.
type Message struct {
	Path   string // the method of gRPC, or the path of the URL
	Header string // a line a field
	Body   []byte // protobuf, decompressed
}

// Sink is a running receiver.
type Sink struct {
	take func(Message) error // safe for many goroutines; an error is the sender's answer

	grpc *grpc.Server
	http *http.Server
	rpc  net.Listener
	web  net.Listener

	mu   sync.Mutex
	kept []Message
}

// Start listens on two free ports of loopback and keeps all in memory.
func Start() (*Sink, error) {
	s := &Sink{}
	s.take = func(m Message) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kept = append(s.kept, m)
		return nil
	}
	return s, s.listen("127.0.0.1:0")
}

// listen serves gRPC at an address, and HTTP at any free port.
func (s *Sink) listen(address string) (err error) {
	if s.rpc, err = net.Listen("tcp", address); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if s.web, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return errors.Join(fmt.Errorf("sink: %w", err), s.rpc.Close())
	}
	s.grpc, s.http = newRPC(s.take), newWeb(s.take)
	go func() { _ = s.grpc.Serve(s.rpc) }()
	go func() { _ = s.http.Serve(s.web) }()
	return nil
}

// Endpoint is for OTEL_EXPORTER_OTLP_ENDPOINT with the protocol grpc.
func (s *Sink) Endpoint() string { return "http://" + s.rpc.Addr().String() }

// WebEndpoint is for OTEL_EXPORTER_OTLP_ENDPOINT with the protocol http/protobuf.
func (s *Sink) WebEndpoint() string { return "http://" + s.web.Addr().String() }

// Messages are those that came so far.
func (s *Sink) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// Stop ends it; what is being received is cut off.
func (s *Sink) Stop() error {
	s.grpc.Stop()
	return s.http.Shutdown(context.Background())
}
