package sidecar

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// namesFirst is how long a broker's probes wait for the names of its threads, so
// that their first records have them.
const namesFirst = time.Second

// namesEach bounds the names in one fact, for a fact is bounded.
const namesEach = 1024

// named are names on their way to the goroutine that converts records: what a
// record's thread is called depends on which came first, so it takes them
// between two records, and they stand there in the recording.
type named struct {
	recording.Threads
	taken chan struct{} // closed then
}

// naming asks one JVM for the names of its threads.
type naming struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// nameThreads asks a broker's JVM for its threads' names, once, and waits a
// little for the answer. Threads that begin later say their names themselves
// (hotspot:thread__start). nil: it is not to be asked.
func (l *live) nameThreads(ctx context.Context, b *jvm.Broker) *naming {
	if !l.config.ThreadNames {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	n := &naming{cancel, make(chan struct{})}
	go func() {
		defer close(n.done)
		l.askThreads(ctx, b)
	}()
	select {
	case <-n.done:
	case <-time.After(namesFirst):
	case <-ctx.Done():
	}
	return n
}

func (l *live) askThreads(ctx context.Context, b *jvm.Broker) {
	d, err := jvm.Threads(ctx, procRoot, b.Process)
	if err != nil {
		l.notNamed(ctx, b, err)
		return
	}
	l.log.Info("threads have their full names", "pid", b.PID, "threads", len(d.Names), "doubtful", d.Doubtful,
		"answered_within", d.Took, "dump_bytes", d.Bytes)
	for tids := range slices.Chunk(slices.Sorted(maps.Keys(d.Names)), namesEach) {
		names := make(map[int32]string, len(tids))
		for _, tid := range tids {
			names[tid] = d.Names[tid]
		}
		l.name(ctx, recording.Threads{PID: b.PID, Names: names})
	}
}

func (l *live) notNamed(ctx context.Context, b *jvm.Broker, err error) {
	if ctx.Err() != nil || errors.Is(err, jvm.ErrGone) {
		return
	}
	do := "leave it; or --thread-names=false"
	if errors.Is(err, jvm.ErrOtherUser) {
		do = "give Tailspan CAP_SETUID and CAP_SETGID, or run it as the broker's user"
	}
	l.log.Warn("threads have no full names, but the kernel's 15 bytes", "pid", b.PID, "error", err, "do", do)
}

// name hands names over to the goroutine that converts.
func (l *live) name(ctx context.Context, t recording.Threads) {
	n := named{t, make(chan struct{})}
	select {
	case l.named <- n:
		<-n.taken
	case <-ctx.Done():
	}
}

// takeNames is called between two records.
func (l *live) takeNames() {
	for {
		select {
		case n := <-l.named:
			l.fact(recording.Fact{Threads: &n.Threads})
			l.probes.Threads(n.PID, n.Names)
			close(n.taken)
		default:
			return
		}
	}
}

// forgetThreads is for a process that has ended.
func (l *live) forgetThreads(ctx context.Context, t *traced) {
	if t.naming != nil {
		t.naming.stop()
		l.name(ctx, recording.Threads{PID: t.PID})
	}
}

// stop gives up asking, and waits until whatever was done for it is undone.
func (n *naming) stop() {
	if n != nil {
		n.cancel()
		<-n.done
	}
}
