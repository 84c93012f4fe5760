package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tailspan/tailspan/sidecar/capture"
)

// ErrNewer is wrapped by errors about recordings of a later format.
var ErrNewer = errors.New("recorded by a newer tailspan")

// maxFact bounds one fact; the largest lists a broker's listeners and devices.
const maxFact = 1 << 20

// Handler takes the blocks of a recording in order. Data is borrowed.
// An error ends Play.
type Handler interface {
	Packet(capture.Packet) error
	Probe(raw []byte) error
	Fact(Fact) error
}

// Play hands the blocks of a file to h. A plain capture, which has no facts,
// is all packets. What was whole before an error has been handed over.
func Play(f *capture.File, h Handler) error {
	for {
		b, err := f.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := block(b, h); err != nil {
			return err
		}
	}
}

func block(b capture.Block, h Handler) error {
	switch b.LinkType {
	case linkUser0:
		return h.Probe(b.Data)
	case linkUser1:
		return fact(b.Data, h)
	}
	return h.Packet(b.Packet)
}

func fact(data []byte, h Handler) error {
	if len(data) > maxFact {
		return fmt.Errorf("read fact: %d bytes are more than %d", len(data), maxFact)
	}
	var f Fact
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("read fact: %w", err)
	}
	if f.Header != nil && f.Header.Version > Version {
		return fmt.Errorf("read header: format %d, this one knows up to %d: %w", f.Header.Version, Version, ErrNewer)
	}
	return h.Fact(f)
}
