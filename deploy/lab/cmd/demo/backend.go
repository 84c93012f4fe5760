package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jaeger"
)

// backend is the Jaeger that the traces go to: the user's own, or one that is
// built and started while the show goes on.
type backend struct {
	d        *demo
	own      bool // the user's
	endpoint string
	ports    jaeger.Ports
	client   jaeger.Client
	ready    atomic.Bool
	readyAt  time.Time // valid once ready
	failed   chan error
	started  chan struct{} // closed when start is done
	stop     context.CancelFunc
	server   *jaeger.Server // valid once started is closed
}

const otlpPort = "4317"

func newBackend(d *demo) (*backend, error) {
	b := &backend{d: d, failed: make(chan error, 1)}
	if page := os.Getenv("JAEGER"); page != "" {
		return b, b.use(page)
	}
	var err error
	if b.ports, err = jaeger.FreePorts(); err != nil {
		return nil, err
	}
	b.endpoint, b.client = b.ports.Endpoint(), jaeger.Client{URL: b.ports.URL()}
	return b, nil
}

// use takes the address of a Jaeger's pages; its OTLP port is the usual one
// of the same host, or what OTEL_EXPORTER_OTLP_ENDPOINT says.
func (b *backend) use(page string) error {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" {
		return fmt.Errorf("JAEGER=%s: want a URL like http://127.0.0.1:16686", page)
	}
	b.own, b.client = true, jaeger.Client{URL: strings.TrimRight(page, "/")}
	b.endpoint = "http://" + net.JoinHostPort(u.Hostname(), otlpPort)
	if e := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); e != "" {
		b.endpoint = e
	}
	return nil
}

// env is what tells Tailspan where to export to.
func (b *backend) env() []string { return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + b.endpoint} }

// start builds and runs it in the background.
func (b *backend) start(ctx context.Context) {
	if b.started != nil {
		return
	}
	ctx, b.stop = context.WithCancel(ctx)
	b.started = make(chan struct{})
	go func() {
		defer close(b.started)
		if err := b.bring(ctx); err != nil {
			b.failed <- err
			return
		}
		b.readyAt = time.Now()
		b.ready.Store(true)
	}()
}

func (b *backend) bring(ctx context.Context) error {
	if b.own {
		for !b.client.Answers() {
			if err := sleep(ctx, time.Second); err != nil {
				return fmt.Errorf("JAEGER=%s does not answer: %w", b.client.URL, err)
			}
		}
		return nil
	}
	path, err := jaeger.Path(b.d.cacheDir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		b.d.say("Jaeger is built from source now, in the background; this takes minutes, once.")
	}
	if path, err = jaeger.Build(ctx, b.d.cacheDir, b.d); err != nil {
		return err
	}
	b.server, err = jaeger.Start(ctx, path, filepath.Join(b.d.logs, "jaeger"), b.ports)
	return err
}

// close ends what start began.
func (b *backend) close() {
	if b.started == nil {
		return
	}
	b.stop()
	<-b.started
	if b.server != nil {
		_ = b.server.Stop()
	}
}
