package assemble

import (
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const (
	// minHeld is the shortest ext4_dirty_inode that a commit is taken to have
	// held up: an unhindered one takes microseconds.
	minHeld = event.Time(200 * time.Microsecond)
	// minBlocked is the same for the rest of a write, where less is known.
	minBlocked = event.Time(time.Millisecond)
	// commitsKept is how many commits of a device are remembered; there is
	// one each 5 s, and one an fsync.
	commitsKept = 128
	// maxHeld bounds the ext4_dirty_inodes listed in one commit.
	maxHeld = 4096
)

// journal is one device's commits, and what it has of their kind.
type journal struct {
	open    *commit
	commits [commitsKept]*commit
	next    int
	flushes ring[*flush]
	io      ring[*event.BlockIO]
}

// commit is one jbd2 commit; its event is nil until it has ended.
type commit struct {
	b           *broker // whose identity it goes by; nil: nobody was held up
	device      event.Device
	transaction uint32
	start       event.Time
	ev          *event.Commit
	held        []held
	origin      *fsync           // had it begun; nil: none, or not known; dropped when offered
	io          []*event.BlockIO // the slowest of it
	id          spans.TraceID
}

// held is an ext4_dirty_inode that a commit held up, or a wait for a handle.
type held struct {
	what       string
	tid        int32
	inode      uint64 // 0: of a wait
	start, end event.Time
}

// What is held up.
const (
	heldDirtyInode = "ext4_dirty_inode"
	heldHandle     = "handle_wait"
)

func (a *Assembler) journal(d event.Device) *journal {
	j := a.devices[d]
	if j == nil {
		if len(a.devices) >= maxDevices {
			clear(a.devices) // a recording may name any
		}
		j = &journal{}
		a.devices[d] = j
	}
	return j
}

// journalFor is nil where nothing is known of the device, nor in the call itself.
func (a *Assembler) journalFor(d event.Device, in *inner) *journal {
	if j := a.devices[d]; j != nil || in == nil {
		return j
	}
	return a.journal(d)
}

func (a *Assembler) commitStart(e *event.CommitStart) {
	j := a.journal(e.Device)
	j.dropOpen(a)
	c := &commit{device: e.Device, transaction: e.Transaction, start: e.Time}
	c.id = spans.EventID("", 0, spans.NameJournalCommit,
		uint64(e.Device)<<32|uint64(e.Transaction), a.o.Clock.Unix(e.Time))
	j.open = c
	j.commits[j.next] = c
	j.next = (j.next + 1) % commitsKept
}

// dropOpen forgets a commit whose end was lost: it ended somewhere before the
// next began, and nothing may be blamed on it after that.
func (j *journal) dropOpen(a *Assembler) {
	if j.open == nil {
		return
	}
	a.stats.LostEnds++
	j.commits[slices.Index(j.commits[:], j.open)] = nil
	j.open = nil
}

func (a *Assembler) commit(e *event.Commit) {
	j := a.journal(e.Device)
	c := j.open
	if c == nil || c.transaction != e.Transaction {
		return // its start was not seen
	}
	j.open, c.ev = nil, e
	c.io = j.slowest(e.TID, e.Start, e.End, ioShown)
	c.find(a)
	a.stats.Commits++
	a.measureCommit(c)
	a.after(e.End+linger, c)
}

// hold notes that an ext4_dirty_inode overlapped a commit, for the commit's
// own row and trace.
func (a *Assembler) hold(d *event.DirtyInode, w *write) {
	if d.End-d.Start >= minHeld {
		a.holdUp(w.ev.Device, w.ev.PID, held{heldDirtyInode, d.TID, d.Inode, d.Start, d.End})
	}
}

// holdWaits notes the waits for a handle inside a write or an fsync.
func (a *Assembler) holdWaits(in *inner, d event.Device) {
	for _, h := range in.waits() {
		if !h.Grant && h.End-h.Start >= minHeld {
			a.holdUp(d, h.PID, held{heldHandle, h.TID, 0, h.Start, h.End})
		}
	}
}

func (a *Assembler) holdUp(d event.Device, pid int32, h held) {
	j := a.devices[d]
	if j == nil {
		return
	}
	for c := range j.running(h.start, h.end) {
		if len(c.held) >= maxHeld {
			continue
		}
		c.held = append(c.held, h)
		if c.b == nil {
			c.b = a.broker(pid)
		}
	}
}

func (c *commit) overlaps(from, to event.Time) bool {
	return c.start < to && (c.ev == nil || c.ev.End > from)
}

// quiet says that no commit is open that a write overlapped.
func (a *Assembler) quiet(w *write) bool {
	return w.resolved || w.ev.End-w.ev.Start < minHeld || a.quietIn(w.ev.Device, w.ev.Start, w.ev.End)
}

// quietIn says so of any time on a device.
func (a *Assembler) quietIn(d event.Device, from, to event.Time) bool {
	j := a.devices[d]
	return j == nil || j.open == nil || !j.open.overlaps(from, to)
}

// resolve finds what of the journal held up a write, once.
func (w *write) resolve(a *Assembler) {
	if w.resolved {
		return
	}
	w.resolved = true
	j := a.journalFor(w.ev.Device, w.inner)
	if j == nil || w.ev.End-w.ev.Start < minHeld {
		return
	}
	s := stretch{thread: w.ev.Thread, cpu: w.cpu}
	var inside event.Time
	for _, d := range w.dirty {
		inside += d.End - d.Start
		if d.End-d.Start >= minHeld {
			s.from, s.to, s.dirty = d.Start, d.End, d
			w.blocks = j.carve(w.blocks, s, w.inner)
		}
	}
	if len(w.inner.waits())+len(w.inner.own()) > 0 || w.cpu != nil || w.ev.End-w.ev.Start-inside >= minBlocked {
		from := w.ev.Start
		s.dirty = nil
		for _, d := range w.dirty {
			s.from, s.to = from, d.Start
			w.blocks = j.carve(w.blocks, s, w.inner)
			from = d.End
		}
		s.from, s.to = from, w.ev.End
		w.blocks = j.carve(w.blocks, s, w.inner)
	}
	w.blocks = mostOf(w.blocks)
	a.offerFlushes(w.blocks)
}

// commitPhase is one step of a commit.
type commitPhase struct {
	name       string
	start, end event.Time
}

// phases are a commit's, in order, as jbd2's tracepoints name their starts. One
// that was not seen has no length.
func (c *commit) phases() [4]commitPhase {
	e := c.ev
	locking := e.Locking
	if locking == 0 {
		locking = e.Start
	}
	flushing := max(e.Flushing, locking)
	logging := max(e.Logging, flushing)
	return [4]commitPhase{
		{"start", e.Start, locking},
		{"locking", locking, flushing},
		{"flushing", flushing, logging},
		{"logging", logging, e.End},
	}
}

// phase is the one that filled most of from..to.
func (c *commit) phase(from, to event.Time) (name string) {
	most := event.Time(-1)
	for _, p := range c.phases() {
		if n := min(to, p.end) - max(from, p.start); n > most {
			name, most = p.name, n
		}
	}
	return name
}
