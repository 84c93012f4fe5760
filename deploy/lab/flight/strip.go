package flight

import (
	"errors"
	"fmt"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// Strip copies a recording without what the monitor probes saw, as if the JVM
// had none.
func Strip(from, to string) error {
	f, err := capture.OpenFile(from)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := recording.Create(to, recording.Header{Tailspan: "stripped"})
	if err != nil {
		return err
	}
	if err := errors.Join(recording.Play(f, stripped{w}), w.Close()); err != nil {
		return fmt.Errorf("strip %s: %w", from, err)
	}
	return nil
}

type stripped struct{ *recording.Writer }

func (s stripped) Packet(p capture.Packet) error {
	s.Writer.Packet(p.Unix, p.Data, p.WireLength)
	return nil
}

func (s stripped) Fact(f recording.Fact) error {
	if f.Header == nil { // the copy has its own
		s.Writer.Fact(f)
	}
	return nil
}

func (s stripped) Probe(raw []byte) error {
	var r bpf.Record
	if err := bpf.Decode(raw, &r); err != nil {
		return err
	}
	switch r.Kind {
	case bpf.KindMonitorEnter, bpf.KindMonitorEntered, bpf.KindMonitorExit:
	default:
		s.Writer.Probe(r.Time, raw)
	}
	return nil
}
