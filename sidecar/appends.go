package sidecar

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/sidecar/recording"
	"github.com/tailspan/tailspan/sidecar/segment"
)

const (
	// maxAppends bounds the appends that wait to be read, and those that were.
	maxAppends = 1 << 12
	// appendTime is the CPU time that reading them may take in a second;
	// beyond it nothing is read until the second is over.
	appendTime = 100 * time.Millisecond
	// idleFor is how long a segment stays open that nothing is read of. A
	// broker deletes one a minute after it let go of it (file.delete.delay.ms).
	idleFor = 10 * time.Second
)

// appendReader reads, from the segments, the record headers of appends whose
// requests could not be read. It has a goroutine of its own: what was written
// half a second ago is in the page cache, but to open a file may wait for the
// disk. Every ask has its answer, if only that nothing was read.
type appendReader struct {
	headers *kafka.HeaderReader
	asks    chan *event.Write
	answers chan *event.AppendHeaders
	refused []*event.AppendHeaders // by ask, for the same goroutine to take

	mu   sync.Mutex
	dirs map[int32][]string // log dirs of the brokers, as we can open them

	logs  map[int32]*segment.Logs // opened so far; of run's goroutine, as what follows
	since time.Time               // when the second began
	spent time.Duration           // of CPU, in it
}

func newAppendReader(messageID string, contexts bool) *appendReader {
	return &appendReader{
		headers: &kafka.HeaderReader{MessageID: messageID, Contexts: contexts, Clock: threadTime},
		asks:    make(chan *event.Write, maxAppends), answers: make(chan *event.AppendHeaders, maxAppends),
		dirs: map[int32][]string{}, logs: map[int32]*segment.Logs{},
	}
}

// threadTime is the CPU time of the calling thread, in ns.
func threadTime() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return ts.Nano()
}

// wanted says that there is anything to be read.
func (r *appendReader) wanted() bool { return r.headers.Wanted() }

// adopt makes a broker's log dirs known.
func (r *appendReader) adopt(pid int32, dirs []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirs[pid] = dirs
}

func (r *appendReader) forget(pid int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.dirs, pid)
}

func (r *appendReader) dirsOf(pid int32) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dirs[pid]
}

// ask has the headers of a written batch be read. It never waits.
func (r *appendReader) ask(w *event.Write) {
	select {
	case r.asks <- w:
	default:
		r.refused = append(r.refused, unread(w))
	}
}

func unread(w *event.Write) *event.AppendHeaders {
	return &event.AppendHeaders{PID: w.PID, File: w.File, Offset: w.Offset, HeadersCut: true}
}

// take hands over the answers that have come.
func (r *appendReader) take(to func(*event.AppendHeaders)) {
	for _, e := range r.refused {
		to(e)
	}
	r.refused = r.refused[:0]
	for range len(r.answers) {
		to(<-r.answers)
	}
}

// run answers until ctx ends.
func (r *appendReader) run(ctx context.Context) error {
	runtime.LockOSThread() // whose CPU time is measured
	defer runtime.UnlockOSThread()
	defer r.close(func(int32) bool { return true })
	idle := time.NewTicker(idleFor)
	defer idle.Stop()
	for {
		select {
		case w := <-r.asks:
			select {
			case r.answers <- r.read(w):
			case <-ctx.Done():
				return nil
			}
		case <-idle.C:
			r.close(func(pid int32) bool { return r.dirsOf(pid) == nil })
			for _, l := range r.logs {
				l.CloseIdle()
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// close lets go of the files of some brokers.
func (r *appendReader) close(of func(pid int32) bool) {
	maps.DeleteFunc(r.logs, func(pid int32, l *segment.Logs) bool {
		gone := of(pid)
		if gone {
			_ = l.Close() // only read
		}
		return gone
	})
}

func (r *appendReader) read(w *event.Write) *event.AppendHeaders {
	e := unread(w)
	if time.Since(r.since) >= time.Second {
		r.since, r.spent = time.Now(), 0
	}
	if r.spent >= appendTime {
		return e
	}
	from := threadTime()
	var found kafka.BatchHeaders
	err := r.find(w, &found)
	r.spent += time.Duration(threadTime() - from)
	list, omitted := found.Contexts()
	for _, c := range list {
		e.Contexts = append(e.Contexts, event.TraceContext(c))
	}
	// As on the wire, records that break their format are not for want of budget.
	e.HeadersCut = found.Cut || err != nil && !errors.Is(err, kafka.ErrMalformed)
	e.MessageIDs, e.ContextsOmitted = found.MessageIDs, int32(omitted)
	e.ContextShared = !e.HeadersCut && found.SharedContext(w.Records)
	return e
}

// find reads the batch that was written, if it still stands there.
func (r *appendReader) find(w *event.Write, to *kafka.BatchHeaders) error {
	f, b, err := r.open(w.PID).Written(w.File, w.Offset, segment.Header{BaseOffset: w.BaseOffset, Bytes: w.BatchBytes, CRC: w.CRC})
	if err != nil {
		return err
	}
	budget := kafka.RequestBudget()
	return f.Headers(b, r.headers, &budget, to)
}

// open takes what log dirs of a broker there are.
func (r *appendReader) open(pid int32) *segment.Logs {
	l := r.logs[pid]
	if l == nil {
		l, _ = segment.OpenLogs()
		for _, path := range r.dirsOf(pid) {
			if d, err := segment.OpenDir(path); err == nil { // else that was said as the broker was found
				l.Dirs = append(l.Dirs, d)
			}
		}
		r.logs[pid] = l
	}
	return l
}

// takeAppendHeaders makes events of what was read, and facts: these come before
// the mark with which the assembler goes on, in a recording as here.
func (l *live) takeAppendHeaders() {
	l.appends.take(func(e *event.AppendHeaders) {
		e.Time = now()
		l.fact(recording.Fact{Append: &recording.AppendHeaders{Time: e.Time, PID: e.PID, File: e.File, Offset: e.Offset,
			IDs: e.MessageIDs, Contexts: traceparents(e.Contexts), Omitted: e.ContextsOmitted, Shared: e.ContextShared, Cut: e.HeadersCut}})
		l.push(event.Probes, e)
	})
}

// appendHeadersOf is a fact as the event that it was.
func appendHeadersOf(f *recording.AppendHeaders, contexts bool) *event.AppendHeaders {
	e := &event.AppendHeaders{Time: f.Time, PID: f.PID, File: f.File, Offset: f.Offset, MessageIDs: f.IDs, HeadersCut: f.Cut}
	if contexts {
		e.Contexts, e.ContextsOmitted, e.ContextShared = contextsOf(f.Contexts), max(f.Omitted, 0), f.Shared
	}
	return e
}
