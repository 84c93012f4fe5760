package canary

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/sink"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// live is a tailspan that runs beside the broker, with all that it has.
type live struct {
	*tailspan.Sidecar
	name      string
	asked     bool // for message ids
	print     string
	out       []byte
	recording string
	sink      *sink.Sink
	address   string // of its HTTP server
	dirs      []string
}

// watch starts one that exports all, records all and logs all.
func (s *stage) watch(t *testing.T, name, print string, asked bool, flags ...string) *live {
	t.Helper()
	to, err := sink.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = to.Stop() })
	l := &live{name: name, asked: asked, print: print, recording: s.file(name + ".pcapng"), sink: to, address: trial.FreeAddress(t)}
	protocol, endpoint := "grpc", to.Endpoint()
	if asked {
		protocol, endpoint = "http/protobuf", to.WebEndpoint()
	}
	for _, dir := range []string{"queue", "state"} {
		l.dirs = append(l.dirs, s.file(name+"-"+dir))
		if err := os.Mkdir(l.dirs[len(l.dirs)-1], 0o700); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=" + protocol,
		"OTEL_METRICS_EXPORTER=otlp", "OTEL_METRIC_EXPORT_INTERVAL=1000", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
		"OTEL_EXPORTER_OTLP_HEADERS=authorization=" + s.secret("%s: header of OTLP", name).Text()}
	line := func(b []byte) error { l.out = append(append(l.out, b...), '\n'); return nil }
	args := append([]string{"--print", print, "--record", l.recording, "--log-level", "debug", "--slo", "0", "--listen", l.address,
		"--queue-dir", l.dirs[0], "--state-dir", l.dirs[1], s.fake.flag()}, flags...)
	if asked {
		args = append(args, "--message-id-header", s.header.Text())
	}
	l.Sidecar = s.Watch(t, name, env, line, []*kafka.Broker{s.broker}, args...)
	return l
}

// end stops it; what it put out is added.
func (l *live) end(t *testing.T, o *outputs) {
	t.Helper()
	trial.Stop(t, l.Sidecar)
	log, err := l.Output()
	if err != nil {
		t.Error(err)
	}
	recorded, err := os.ReadFile(l.recording)
	if err != nil {
		t.Error(err)
	}
	o.add(output{name: l.name + " log", bytes: []byte(log), must: "tracing broker"})
	lossy := strings.Contains(log, "packets dropped by the kernel")
	o.add(output{name: l.name + " recording", place: recording, asked: l.asked, lossy: lossy, bytes: recorded, must: "progress"})
	printed := output{name: l.name + " " + l.print, place: rows, asked: l.asked, bytes: l.out, must: "arrival_ns"}
	if l.print == "traces" {
		printed.place, printed.linkless, printed.must = traces, withoutLinks(t, l.out), "trace_id"
	}
	o.add(printed)
	l.sent(t, o)
	for i, what := range []string{"queue", "state"} {
		p := other
		if what == "queue" {
			p = recording
		}
		o.addFiles(t, l.dirs[i], l.name+" "+what, p, l.asked)
	}
}

// sent adds what went out by OTLP.
func (l *live) sent(t *testing.T, o *outputs) {
	t.Helper()
	spans := output{name: l.name + " OTLP spans", place: traces, asked: l.asked, must: "append"}
	metrics := output{name: l.name + " OTLP metrics", must: "tailspan"}
	for _, m := range l.sink.Messages() {
		if strings.Contains(strings.ToLower(m.Path), "metrics") {
			metrics.bytes = append(metrics.bytes, m.Body...)
			continue
		}
		spans.bytes = append(spans.bytes, m.Body...)
		spans.linkless = append(spans.linkless, spansWithoutLinks(t, m.Body)...)
	}
	o.add(spans)
	o.add(metrics)
	t.Logf("%s: %d bytes of spans, %d of metrics by OTLP, %d printed", l.name, len(spans.bytes), len(metrics.bytes), len(l.out))
}

// settle waits until what the broker did last was seen and, where it must be,
// exported.
func settle() { time.Sleep(1500 * time.Millisecond) }
