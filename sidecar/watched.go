package sidecar

import (
	"sync"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// watch makes it known to the stages that need no kernel.
func (s *Sidecar) watch(w recording.Watched) {
	s.monitors.note(w)
	s.push(event.Packets, &event.MonitorsWatched{Time: w.Time, PID: w.PID, On: w.On})
}

// monitorStats says how the governor did.
type monitorStats struct {
	Unwatched int    // JVMs whose monitor probes are off now, for there were too many waits
	TakenOff  uint64 // how often they were taken off
}

// monitorsWatched counts that; safe for concurrent use.
type monitorsWatched struct {
	mu       sync.Mutex
	off      map[int32]bool
	takenOff uint64
}

func (m *monitorsWatched) note(w recording.Watched) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.On {
		delete(m.off, w.PID)
		return
	}
	if m.off == nil {
		m.off = map[int32]bool{}
	}
	m.off[w.PID] = true
	m.takenOff++
}

// forget lets go of a JVM that has ended.
func (m *monitorsWatched) forget(pid int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.off, pid)
}

func (m *monitorsWatched) stats() monitorStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return monitorStats{len(m.off), m.takenOff}
}
