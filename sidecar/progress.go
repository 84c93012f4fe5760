package sidecar

import (
	"path/filepath"

	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/report"
)

// openFile opens what is replayed; what is read of it is progress.
func (s *Sidecar) openFile(path string) (*capture.File, error) {
	s.task.Now("reading " + filepath.Base(path))
	return capture.OpenThrough(path, s.task.Reader)
}

// showRecording has the growth of a recording shown, where there is no view that
// does; else the start is over.
func (l *live) showRecording() {
	if l.record == nil || l.view != nil {
		l.task.End()
		return
	}
	l.task.Now("recording to " + l.config.Record)
	l.task.Note(func() []string {
		bytes, broken := l.record.Stats()
		notes := []string{report.Size(int64(bytes)), report.Count(l.decoder.Stats().Packets, "packet", "packets")}
		if broken > 0 {
			return append(notes, "it broke off")
		}
		var lost uint64
		for _, n := range l.lost() {
			lost += n
		}
		if lost == 0 {
			return append(notes, "nothing lost")
		}
		return append(notes, report.Count(lost, "loss", "losses"))
	})
}
