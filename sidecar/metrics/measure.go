package metrics

import "time"

// Write counts a write to a segment.
func (m *Metrics) Write(w *Write) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.broker(w.Broker)
	b.observe(m, write, w.Duration)
	b.writeMax.note(w.Duration)
}

// DirtyInode counts a call of ext4_dirty_inode inside a write.
func (m *Metrics) DirtyInode(broker int32, d time.Duration) { m.observe(broker, dirtyInode, d) }

// Fsync counts a call of fsync or fdatasync.
func (m *Metrics) Fsync(broker int32, d time.Duration) { m.observe(broker, fsync, d) }

// Wait counts a wait that ended.
func (m *Metrics) Wait(w *Wait) {
	k := monitorWait
	if w.Park {
		k = parkWait
	}
	m.observe(w.Broker, k, w.Duration)
}

// Pause counts a stop of a JVM.
func (m *Metrics) Pause(p *Pause) {
	k := vmPause
	if p.GC {
		k = gcPause
	}
	m.observe(p.Broker, k, p.Duration)
}

// Commit counts a commit of a journal, and its phases.
func (m *Metrics) Commit(c *Commit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.devices.get(c.Device, newDevice)
	d.observe(m, commit, c.Duration)
	d.commitMax.note(c.Duration)
	for k, t := range [deviceKinds]time.Duration{locking: c.Locking, flushing: c.Flushing, logging: c.Logging} {
		if t > 0 {
			d.observe(m, kind(k), t)
		}
	}
}

func (m *Metrics) observe(broker int32, k kind, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broker(broker).observe(m, k, d)
}
