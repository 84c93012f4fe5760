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

	files map[string]*list.Element // of *File
	used  *list.List               // the last used first
}

// OpenLogs takes log dirs, of one broker or of several.
func OpenLogs(dirs ...string) (*Logs, error) {
	l := &Logs{files: map[string]*list.Element{}, used: list.New()}
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
		err = errors.Join(err, e.Value.(*File).Close())
	}
	l.used.Init()
	clear(l.files)
	return err
}

// Segment gives the segment of a partition of a log dir whose name says this
// base offset. The file is the Logs': it is closed when others are used.
func (l *Logs) Segment(d *Dir, partition string, base int64) (*File, error) {
	return l.open(filepath.Join(d.Path, partition, segmentName(base)))
}

func (l *Logs) open(path string) (*File, error) {
	if e := l.files[path]; e != nil {
		l.used.MoveToFront(e)
		return e.Value.(*File), nil
	}
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	for l.used.Len() >= maxOpen {
		l.drop(l.used.Back())
	}
	l.files[path] = l.used.PushFront(f)
	return f, nil
}

func (l *Logs) drop(e *list.Element) {
	f := l.used.Remove(e).(*File)
	delete(l.files, f.path)
	f.Close()
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
	return l.Segment(d, partition, base)
}

// last reads the header of the last batch of a partition, and says in which
// file. ErrNotFound: the log is empty.
func (l *Logs) last(d *Dir, p *partition, partition string) (*File, Batch, error) {
	for i := len(p.segments) - 1; i >= 0; i-- {
		f, err := l.Segment(d, partition, p.segments[i])
		if err != nil {
			return nil, Batch{}, err
		}
		if b, err := f.Last(); !errors.Is(err, ErrNotFound) {
			return f, b, err
		}
	}
	return nil, Batch{}, ErrNotFound
}
