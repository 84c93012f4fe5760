package sidecar

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/metrics"
	"github.com/tailspan/tailspan/sidecar/metrics/push"
	"github.com/tailspan/tailspan/sidecar/report/page"
	"github.com/tailspan/tailspan/sidecar/serve"
	"github.com/tailspan/tailspan/spans"
	"github.com/tailspan/tailspan/spans/otlp"
)

// How long an answer under way, and the last push, may take at the end.
const (
	unserveTime = 300 * time.Millisecond
	unpushTime  = 700 * time.Millisecond
)

// sources is what only a run knows of, as it is now.
type sources struct {
	lost   func() map[string]uint64
	probes func() []metrics.Probe
}

// serve answers at --listen until stop is called. Where nobody asked for the
// address and it is taken, by another Tailspan say, tracing goes on without.
func (s *Sidecar) serve(from sources) (stop func(), err error) {
	if s.out.metrics != nil {
		s.out.metrics.Account(func() metrics.Account { return s.metricsAccount(from) })
	}
	if s.config.Listen == "" {
		return func() {}, nil
	}
	s.out.page.lost = from.lost
	server, err := serve.Start(serve.Options{
		Addr: s.config.Listen, Version: s.version, Log: s.log,
		Metrics: s.out.metrics.Handler(), Health: func() serve.Health { return s.health(from) },
		Report:       func(w io.Writer, before bool) (bool, error) { return s.out.page.write(w, before, s.version) },
		ReportPolicy: page.Policy(),
		Brokers:      s.traced, Index: s.out.kept, TraceURL: serve.TraceURL(s.config.TraceURL), AdoptParent: s.config.AdoptParent,
	})
	if errors.Is(err, serve.ErrInUse) && !s.config.ListenAsked {
		s.out.page = nil
		s.log.Warn("metrics, lookups and the page are not served; tracing goes on", "error", err, "do", "name a free address with --listen, or --listen= for none")
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	s.log.Info("serving metrics, lookups and the page", "url", "http://"+server.Addr().String())
	return func() {
		end, cancel := context.WithTimeout(context.Background(), unserveTime)
		defer cancel()
		if err := server.Shutdown(end); err != nil {
			s.log.Debug("stop serving", "error", err)
		}
	}, nil
}

// pushMetrics has the metrics sent over OTLP, too, where that was asked for. To
// stop sends them once more.
func (l *live) pushMetrics() (stop func(), err error) {
	if !l.pushes {
		return func() {}, nil
	}
	host, _ := os.Hostname()
	own := otlp.BrokerResource(otlp.Broker{Service: "tailspan", Node: -1, PID: int32(os.Getpid()), Executable: "tailspan",
		Host: host, Arch: runtime.GOARCH, OS: runtime.GOOS, Kubernetes: otlp.Kubernetes()})
	p, err := push.Start(context.Background(), push.Options{Registry: l.out.metrics.Registry(), Resource: own.Attributes, Version: l.version, Logger: l.log})
	if err != nil {
		return nil, err
	}
	return func() {
		end, cancel := context.WithTimeout(context.Background(), unpushTime)
		defer cancel()
		if err := p.Shutdown(end); err != nil {
			l.log.Warn("the last metrics were not pushed", "error", err)
		}
	}, nil
}

// traced are the brokers that records may be looked up of.
func (s *Sidecar) traced() (all []serve.Broker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for pid, k := range s.brokers {
		if !k.gone {
			all = append(all, serve.Broker{PID: pid, Node: k.Node, Cluster: k.Cluster, LogDirs: k.logDirs, Since: k.since})
		}
	}
	slices.SortFunc(all, func(a, b serve.Broker) int { return int(a.PID - b.PID) })
	return all
}

func (s *Sidecar) health(from sources) serve.Health {
	h := serve.Health{Exporter: serve.Exporter{State: "off", Up: true}, Probes: []serve.Probe{}}
	for _, p := range from.probes() {
		h.Probes = append(h.Probes, serve.Probe{Name: p.Name, Backend: p.Backend, Up: p.Up})
	}
	if s.out.exporter != nil {
		e := s.out.exporter.Health()
		h.Exporter = serve.Exporter{State: e.State, Up: e.Up, Detail: e.Detail}
	}
	return h
}

// clusterOf is what a broker's resource says of its cluster.
func clusterOf(r *spans.Resource) string {
	for _, kv := range r.Attributes {
		if kv.Key == spans.KeyClusterID {
			return kv.Value.AsString()
		}
	}
	return ""
}

// ways are those in which the brokers are watched, in use or not: a file
// system's only where a broker has its log on one, a JVM's only once it was tried.
func (l *live) ways() (all []metrics.Probe) {
	all = append(all, metrics.Probe{Name: "packets", Backend: "af_packet", Up: l.packets != nil})
	if l.kernel == nil {
		return all
	}
	here := l.fileSystems()
	for _, sub := range l.kernel.Status() {
		fs := ownedBy[sub.Name]
		idle := bpf.PerProcess(sub.Name) && !sub.Attached && sub.Err == nil
		if !idle && (fs == "" || here[fs]) {
			all = append(all, metrics.Probe{Name: sub.Name, Backend: sub.Backend, Up: sub.Attached})
		}
	}
	return all
}

// fileSystems are those that the brokers have their logs on.
func (s *Sidecar) fileSystems() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]bool{}
	for _, k := range s.brokers {
		for _, kind := range k.Devices {
			all[kind] = true
		}
	}
	return all
}
