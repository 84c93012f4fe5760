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

// journal is one device's commits.
type journal struct {
	open    *commit
	commits [commitsKept]*commit
	next    int
}

// commit is one jbd2 commit; its event is nil until it has ended.
type commit struct {
	b           *broker // whose identity it goes by; nil: nobody was held up
	device      event.Device
	transaction uint32
	start       event.Time
	ev          *event.Commit
	held        []held
	id          spans.TraceID
}

// held is an ext4_dirty_inode that a commit held up.
type held struct {
	tid        int32
	inode      uint64
	start, end event.Time
}

// overlap is the part of a write that a commit took.
type overlap struct {
	start, end  event.Time
	dirty       *event.DirtyInode // inside it; nil: elsewhere in the write
	commit      spans.TraceID
	device      event.Device
	transaction uint32
	phase       string // "", and commit zero, where the commit's end was not seen
}

func (a *Assembler) journal(d event.Device) *journal {
	j := a.devices[d]
	if j == nil {
		j = &journal{}
		a.devices[d] = j
	}
	return j
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
	a.stats.Commits++
	a.after(e.End+linger, c)
}

// hold notes that an ext4_dirty_inode overlapped a commit, for the commit's
// own row and trace.
func (a *Assembler) hold(d *event.DirtyInode, w *write) {
	j := a.devices[w.ev.Device]
	if j == nil || d.End-d.Start < minHeld {
		return
	}
	for _, c := range j.commits {
		if c != nil && c.overlaps(d.Start, d.End) && len(c.held) < maxHeld {
			c.held = append(c.held, held{d.TID, d.Inode, d.Start, d.End})
			if c.b == nil {
				c.b = a.broker(w.ev.PID)
			}
		}
	}
}

func (c *commit) overlaps(from, to event.Time) bool {
	return c.start < to && (c.ev == nil || c.ev.End > from)
}

// quiet says that no commit is open that a write overlapped.
func (a *Assembler) quiet(w *write) bool {
	j := a.devices[w.ev.Device]
	return w.resolved || j == nil || j.open == nil || !j.open.overlaps(w.ev.Start, w.ev.End)
}

// resolve finds the commits that held up a write, once.
func (w *write) resolve(a *Assembler) {
	if w.resolved {
		return
	}
	w.resolved = true
	j := a.devices[w.ev.Device]
	if j == nil || w.ev.End-w.ev.Start < minHeld {
		return
	}
	var inside event.Time
	for _, d := range w.dirty {
		inside += d.End - d.Start
		if d.End-d.Start >= minHeld {
			w.blocks = j.within(w.blocks, d.Start, d.End, d)
		}
	}
	if w.ev.End-w.ev.Start-inside >= minBlocked {
		from := w.ev.Start
		for _, d := range w.dirty {
			w.blocks = j.within(w.blocks, from, d.Start, nil)
			from = d.End
		}
		w.blocks = j.within(w.blocks, from, w.ev.End, nil)
	}
}

// within adds the parts of from..to during which a commit ran.
func (j *journal) within(all []overlap, from, to event.Time, d *event.DirtyInode) []overlap {
	least := minHeld
	if d == nil {
		least = minBlocked
	}
	for i := range j.commits {
		c := j.commits[(j.next+i)%commitsKept]
		if c == nil || !c.overlaps(from, to) {
			continue
		}
		o := overlap{start: max(from, c.start), end: to, dirty: d,
			device: c.device, transaction: c.transaction}
		if c.ev != nil { // else it has no trace, and may never get one
			o.commit, o.end = c.id, min(to, c.ev.End)
			o.phase = c.phase(o.start, o.end)
		}
		if o.end-o.start >= least {
			all = append(all, o)
		}
	}
	return all
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

// due finishes the commit.
func (c *commit) due(a *Assembler) {
	if a.o.Rows.Commits {
		a.printCommit(c)
	}
	a.offer(&commitTrace{a, c})
}
