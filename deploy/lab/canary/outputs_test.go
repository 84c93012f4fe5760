package canary

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// place is where an output comes out.
type place int

const (
	other     place = iota // logs, metrics, pages, doctor: nothing of a client
	rows                   // --print, but of traces
	traces                 // --print traces, and OTLP's spans
	recording              // --record, the queue's directory, and pages made of recordings
)

// output is bytes that Tailspan put out.
type output struct {
	name  string
	place place
	asked bool // by a tailspan that was asked for message ids
	lossy bool // packets may have been missed
	bytes []byte
	must  string // stands in it: what came out is what was meant to

	linkless []byte // of traces: bytes, but for the ids of links
}

// outputs are all. Safe for many goroutines.
type outputs struct {
	mu  sync.Mutex
	all []output
}

func (o *outputs) add(x output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, x)
}

// addFiles adds every file below a directory.
func (o *outputs) addFiles(t *testing.T, dir, name string, p place, asked bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if len(b) > 0 {
			o.add(output{name: name + " " + filepath.Base(path), place: p, asked: asked, bytes: b})
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// may says whether marks of a kind may be seen in an output.
func (x *output) may(k kind) bool {
	switch k {
	case identity:
		return x.place != other
	case messageID:
		return x.place != other && x.asked
	case traceContext:
		return x.place == recording
	case nested:
		return x.lossy
	case topic:
		return true
	}
	return false
}
