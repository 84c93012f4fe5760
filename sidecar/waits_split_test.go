package sidecar

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/probe"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// splitter copies a recording without its monitor records, and keeps the waits
// that these are about as JFR would have them.
type splitter struct {
	*recording.Writer
	clock  event.Clock
	probes *probe.Converter
	since  map[int32]*event.MonitorEnter
	last   map[uint64]event.Thread // of those that released a monitor
	waits  []recordedWait
	parks  bool // are kept
}

type recordedWait struct {
	enter *event.MonitorEnter
	end   event.Time
	owner event.Thread
}

func (p *splitter) Packet(k capture.Packet) error {
	p.Writer.Packet(k.Unix, k.Data, k.WireLength)
	return nil
}

func (p *splitter) Fact(f recording.Fact) error {
	if f.Clock != nil {
		p.clock.Calibrate(*f.Clock)
	}
	if f.Threads != nil {
		p.probes.Threads(f.Threads.PID, f.Threads.Names)
	}
	if f.Header == nil {
		p.Writer.Fact(f)
	}
	return nil
}

func (p *splitter) Probe(raw []byte) error {
	var r bpf.Record
	if err := bpf.Decode(raw, &r); err != nil {
		return err
	}
	switch r.Kind {
	case bpf.KindMonitorEnter, bpf.KindMonitorEntered, bpf.KindMonitorExit:
		p.probes.Record(raw)
	case bpf.KindPark:
		if p.parks {
			p.Writer.Probe(0, raw)
		}
	default:
		p.Writer.Probe(0, raw)
	}
	return nil
}

func (p *splitter) monitor(e event.Event) {
	switch e := e.(type) {
	case *event.MonitorEnter:
		p.since[e.TID] = e
	case *event.MonitorExit:
		p.last[e.Monitor] = e.Thread
	case *event.MonitorEntered:
		if enter := p.since[e.TID]; enter != nil && enter.Monitor == e.Monitor {
			p.waits = append(p.waits, recordedWait{enter, e.Time, p.last[e.Monitor]})
		}
		delete(p.since, e.TID)
	}
}

// split gives a recording without waits, with the kernel's parks or without, and
// these waits as a file for --waits, by a clock of their own.
func split(t *testing.T, from string, parks bool, clock func(time.Time) time.Time) (stripped, waits string) {
	t.Helper()
	stripped, waits = filepath.Join(t.TempDir(), "stripped.pcapng"), filepath.Join(t.TempDir(), "waits.json")
	w, err := recording.Create(stripped, recording.Header{Tailspan: "test"})
	if err != nil {
		t.Fatal(err)
	}
	p := &splitter{Writer: w, since: map[int32]*event.MonitorEnter{}, last: map[uint64]event.Thread{}, parks: parks}
	p.probes = probe.New(probe.Options{Emit: p.monitor})
	f, err := capture.OpenFile(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := recording.Play(f, p); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	at := func(t event.Time) time.Time { return clock(time.Unix(0, p.clock.Unix(t))) }
	for i, x := range slices.Backward(p.waits) { // in no order that helps
		start, end := at(x.enter.Time), at(x.end)
		fmt.Fprintf(&b, `{"type": "jdk.JavaMonitorEnter", "values": {"startTime": %q, "duration": "PT%d.%09dS", "eventThread": %s, "previousOwner": %s,
			"monitorClass": {"name": %q}, "address": %d}}`, start.Format(time.RFC3339Nano),
			end.Sub(start)/1e9, end.Sub(start)%1e9, jfrThread(x.enter.Thread), jfrThread(x.owner), x.enter.Class, x.enter.Monitor)
		if i > 0 {
			b.WriteString(",\n")
		}
	}
	write(t, waits, `{"recording": {"events": [`+b.String()+`]}}`)
	return stripped, waits
}

// jfrThread has a name of which the kernel knows the first 15 bytes.
func jfrThread(x event.Thread) string {
	switch {
	case x.TID == 0:
		return "null"
	case len(x.Name) == commBytes:
		x.Name += fmt.Sprint(" of many ", x.TID)
	}
	return fmt.Sprintf(`{"osThreadId": %d, "javaName": %q, "javaThreadId": %d}`, x.TID, x.Name, x.TID%100)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
