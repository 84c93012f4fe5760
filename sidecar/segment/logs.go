package segment

import (
	"container/list"
	"errors"
	"path/filepath"
)

// maxOpen bounds the segment files that are open at one time.
const maxOpen = 64

// Logs reads the segments of log dirs and keeps the last used ones open. It
// belongs to one goroutine.
type Logs struct {
	Dirs []*Dir

	files map[place]*list.Element // of *opened
	used  *list.List              // the last used first
	scratch
}

// place is a segment: topic-partition/segment.log below a log dir.
type place struct {
	dir  *Dir
	file string
}

type opened struct {
	*File
	place
	idle bool // not used since CloseIdle
}

// OpenLogs takes log dirs, of one broker or of several.
func OpenLogs(dirs ...string) (*Logs, error) {
	l := &Logs{files: map[place]*list.Element{}, used: list.New()}
	for _, path := range dirs {
		d, err := OpenDir(path)
		if err != nil {
			return nil, err
		}
		l.Dirs = append(l.Dirs, d)
	}
	return l, nil
}

// Close closes all files.
func (l *Logs) Close() (err error) {
	for e := l.used.Front(); e != nil; e = e.Next() {
		err = errors.Join(err, e.Value.(*opened).Close())
	}
	l.used.Init()
	clear(l.files)
	return err
}

// Segment opens topic-partition/segment.log below a log dir. The File is the
// Logs': it is closed when others are used.
func (l *Logs) Segment(d *Dir, file string) (*File, error) {
	if e := l.files[place{d, file}]; e != nil {
		l.used.MoveToFront(e)
		o := e.Value.(*opened)
		o.idle = false
		return o.File, nil
	}
	f, err := Open(filepath.Join(d.Path, file))
	if err != nil {
		return nil, err
	}
	f.scratch = &l.scratch
	for l.used.Len() >= maxOpen {
		l.close(l.used.Back())
	}
	at := place{d, file}
	l.files[at] = l.used.PushFront(&opened{File: f, place: at})
	return f, nil
}

func (l *Logs) close(e *list.Element) {
	o := l.used.Remove(e).(*opened)
	delete(l.files, o.place)
	o.Close()
}

// CloseIdle closes the files that were not used since it was last called: one
// that is open keeps its blocks after it was deleted.
func (l *Logs) CloseIdle() {
	for e := l.used.Front(); e != nil; {
		next := e.Next()
		if o := e.Value.(*opened); o.idle {
			l.close(e)
		} else {
			o.idle = true
		}
		e = next
	}
}

// Find reads the header of the batch of a partition that holds an offset, and
// says in which file. ErrNotFound: the log has none, any more.
func (l *Logs) Find(d *Dir, partition string, offset int64) (path string, b Batch, err error) {
	f, err := l.holding(d, partition, offset)
	if err != nil {
		return "", Batch{}, err
	}
	b, err = f.Find(offset)
	return f.path, b, err
}

// holding is the segment that an offset belongs to.
func (l *Logs) holding(d *Dir, partition string, offset int64) (*File, error) {
	p, err := d.partition(partition)
	if err != nil {
		return nil, err
	}
	base, ok := p.holding(offset)
	if !ok {
		return nil, ErrNotFound
	}
	return l.Segment(d, segmentName(partition, base))
}

// last reads the header of the last batch of a partition, and says in which
// file. ErrNotFound: the log is empty.
func (l *Logs) last(d *Dir, p *partition, partition string) (*File, Batch, error) {
	for i := len(p.segments) - 1; i >= 0; i-- {
		f, err := l.Segment(d, segmentName(partition, p.segments[i]))
		if err != nil {
			return nil, Batch{}, err
		}
		if b, err := f.Last(); !errors.Is(err, ErrNotFound) {
			return f, b, err
		}
	}
	return nil, Batch{}, ErrNotFound
}
