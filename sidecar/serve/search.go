package serve

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/sidecar/segment"
	"github.com/tailspan/tailspan/spans"
)

const (
	// maxSearches bounds the searches that run at once, each a goroutine that a
	// disk may hold up for as long as it likes.
	maxSearches = 4
	// searchTime is how long a batch is looked for.
	searchTime = 3 * time.Second
	// checkTime is how long a kept trace waits for the log to say that it is still
	// this batch's: that its disk stalls may be why one asks.
	checkTime = 200 * time.Millisecond
)

var (
	errTooMany = errors.New("other searches are under way, and slow: ask again")
	errTooLate = errors.New("the log could not be read in time: ask again")
)

// found is what the logs of a cluster say of an offset.
type found struct {
	cluster string
	since   time.Time // from when on all of its brokers that have the log are traced
	at      segment.Located
	err     error         // nil: at.Batch holds the offset
	parent  spans.TraceID // that all of the batch's records carry, sampled; zero: none, or not looked for
}

// search looks in the brokers' log dirs, for as long as the context lets it.
func (s *Server) search(ctx context.Context, q query) ([]found, error) {
	select {
	case s.slots <- struct{}{}:
	default:
		s.count(&s.stats.TooMany)
		return nil, errTooMany
	}
	out := make(chan []found, 1)
	go func() {
		defer func() { <-s.slots }()
		out <- s.searchLogs(ctx, q)
	}()
	select {
	case all := <-out:
		return all, nil
	case <-ctx.Done():
		s.count(&s.stats.Unread)
		return nil, errTooLate
	}
}

// searchLogs gives one answer a cluster, the best that one of its brokers has:
// a follower may be behind, or have moved the log elsewhere.
func (s *Server) searchLogs(ctx context.Context, q query) (all []found) {
	for _, b := range s.o.Brokers() {
		if q.cluster != "" && q.cluster != b.Cluster {
			continue
		}
		for _, dir := range b.LogDirs {
			at, err := searchDir(ctx, dir, q)
			f := found{cluster: b.Cluster, since: s.sinceOf(&b), at: at, err: err}
			if err == nil && s.o.AdoptParent {
				f.parent = parentOf(&at)
			}
			all = add(all, f)
			if err != nil {
				s.o.Log.Debug("search of a log dir", "pid", b.PID, "dir", dir, "error", err)
			}
		}
	}
	return all
}

// add keeps the better of two answers of a cluster, and the later since of the
// brokers that have the log.
func add(all []found, f found) []found {
	i := slices.IndexFunc(all, func(x found) bool { return x.cluster == f.cluster })
	if i < 0 {
		return append(all, f)
	}
	x := &all[i]
	since := x.since
	if !x.has() || f.has() && since.Before(f.since) {
		since = f.since
	}
	if f.rank() < x.rank() {
		*x = f
	}
	x.since = since
	return all
}

// searchDir opens everything anew: a File belongs to one goroutine, and what
// is kept open keeps its blocks after it was deleted.
func searchDir(ctx context.Context, path string, q query) (segment.Located, error) {
	d, err := segment.OpenDir(path)
	if err != nil {
		return segment.Located{}, err
	}
	l, err := segment.OpenLogs()
	if err != nil {
		return segment.Located{}, err
	}
	at, err := l.Locate(ctx, d, q.topic, q.partition, q.offset)
	return at, cmp.Or(err, l.Close())
}

// parentOf is the trace that all records of a batch say, sampled, that they are
// of; zero: none. So their request was made a part of it, if its other partitions
// agreed.
func parentOf(at *segment.Located) (id spans.TraceID) {
	f, err := segment.Open(at.Path)
	if err != nil {
		return id
	}
	defer f.Close()
	var read kafka.BatchHeaders
	budget := kafka.RequestBudget()
	if int64(at.Length) > int64(budget.Bytes) || f.Check(at.Batch) != nil {
		return id
	}
	err = f.Headers(at.Batch, &kafka.HeaderReader{Contexts: true}, &budget, &read)
	if list, _ := read.Contexts(); err == nil && read.SharedContext(at.Records) {
		id = list[0].TraceID
	}
	return id
}

// has says that the log is there.
func (f *found) has() bool { return f.rank() < rankElsewhere }

const (
	rankFound      = iota
	rankUnreadable // it may be there
	rankNone       // the log is there, and has no such batch
	rankElsewhere  // no log is there
)

// rank is how much an answer counts, the lesser the more.
func (f *found) rank() int {
	var old *segment.MagicError
	switch {
	case f.err == nil:
		return rankFound
	case errors.Is(f.err, segment.ErrNoPartition):
		return rankElsewhere
	case errors.As(f.err, &old):
		return rankNone
	}
	for _, none := range []error{segment.ErrBefore, segment.ErrBeyond, segment.ErrCompacted, segment.ErrNotFound} {
		if errors.Is(f.err, none) {
			return rankNone
		}
	}
	return rankUnreadable
}

// why is an error of reading without the names of files.
func why(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, segment.ErrUnfinished):
		return segment.ErrUnfinished.Error()
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.Is(err, segment.ErrNotBatch):
		return segment.ErrNotBatch.Error()
	}
	return "its log dir is none"
}
