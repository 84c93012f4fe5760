package topics

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	maxPartitions = 200_000 // directories looked at in one log dir
	maxMetadata   = 4 << 10 // partition.metadata has 46 bytes
	settled       = 2 * time.Second
)

// broker is what is scanned for one pid.
type broker struct {
	dirs []*logDir
	next time.Time // no scan before
}

// logDir remembers what the last scan saw, so that the next one opens only
// what is new.
type logDir struct {
	path    string
	changed time.Time // its mtime, once it had been settled for a while
	known   map[string]os.FileInfo
	pending bool // a partition directory had no partition.metadata yet
	failing bool // said so in the log
}

// AddLogDir adds a log dir of a broker and scans it at once.
func (t *Table) AddLogDir(pid int32, dir string) {
	t.scan.Lock()
	defer t.scan.Unlock()
	n := 0
	for _, b := range t.dirs {
		n += len(b.dirs)
	}
	if n >= maxLogDirs {
		t.log.Warn("too many log dirs, this one is left out", "dir", dir, "limit", maxLogDirs)
		t.count(func(s *Stats) { s.Full++ })
		return
	}
	b := t.dirs[pid]
	if b == nil {
		b = &broker{}
		t.dirs[pid] = b
	}
	for _, d := range b.dirs {
		if d.path == dir {
			return
		}
	}
	d := &logDir{path: dir}
	b.dirs = append(b.dirs, d)
	t.scanDirs(pid, b, d)
}

// rescan says whether it looked again.
func (t *Table) rescan(pid int32) bool {
	t.scan.Lock()
	defer t.scan.Unlock()
	b := t.dirs[pid]
	if b == nil || t.now().Before(b.next) {
		return false
	}
	t.scanDirs(pid, b, b.dirs...)
	return true
}

func (t *Table) scanDirs(pid int32, b *broker, dirs ...*logDir) {
	begin := t.now()
	for _, d := range dirs {
		err := d.scan(begin, func(id [16]byte, name string) { t.Learn(pid, id, name) }, t.badFile)
		if err != nil {
			t.count(func(s *Stats) { s.Failed++ })
			if !d.failing {
				t.log.Warn("log dir cannot be read, topics are shown by id", "pid", pid, "dir", d.path, "err", err)
			}
		}
		d.failing = err != nil
	}
	end := t.now()
	took := end.Sub(begin)
	b.next = end.Add(max(minRescan, rescanShare*took))
	t.count(func(s *Stats) { s.Scans++; s.Longest = max(s.Longest, took) })
}

func (t *Table) badFile(path string, err error) {
	t.count(func(s *Stats) { s.Invalid++ })
	t.log.Warn("topic id cannot be read", "file", path, "err", err)
}

func (t *Table) count(f func(*Stats)) {
	t.mu.Lock()
	f(&t.stats)
	t.mu.Unlock()
}

// scan reads the partition directories that are new since the last time.
// Every fact is learnt; a file that makes no sense is reported once.
func (d *logDir) scan(now time.Time, learn func([16]byte, string), bad func(string, error)) error {
	st, err := os.Stat(d.path)
	if err != nil {
		return err
	}
	if st.ModTime().Equal(d.changed) && !d.pending {
		return nil
	}
	names, err := List(d.path, maxPartitions)
	if err != nil {
		return err
	}
	known := make(map[string]os.FileInfo, len(names))
	d.pending = false
	for _, dir := range names {
		topic, _, ok := ParsePartition(dir)
		if !ok {
			continue
		}
		path := filepath.Join(d.path, dir, "partition.metadata")
		file, err := os.Lstat(path)
		if err != nil {
			d.pending = d.pending || errors.Is(err, fs.ErrNotExist)
			continue
		}
		if now.Sub(file.ModTime()) >= settled {
			known[dir] = file // else it might be another by the next time, with the same mtime
		}
		if was := d.known[dir]; was != nil && os.SameFile(was, file) && was.ModTime().Equal(file.ModTime()) {
			continue
		}
		id, err := readMetadata(path)
		if err != nil {
			bad(path, err)
			continue
		}
		learn(id, topic)
	}
	d.known = known
	// A change within the clock tick of this look would leave the same mtime.
	if d.changed = st.ModTime(); now.Sub(d.changed) < settled {
		d.changed = time.Time{}
	}
	return nil
}

// List is what is in a directory, at most so many names, in no order.
func List(dir string, most int) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(most)
	if err == io.EOF {
		err = nil
	}
	return names, err
}

// readMetadata reads one partition.metadata: "version: 0", "topic_id: …".
// Kafka moves it into place when it is whole.
func readMetadata(path string) (id [16]byte, err error) {
	// Whoever owns the log dir could have put a link or a pipe there.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return id, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMetadata))
	if err != nil {
		return id, err
	}
	fields := make(map[string]string, 2)
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	if fields["version"] != "0" {
		return id, fmt.Errorf("version %.16q instead of 0", fields["version"])
	}
	return ParseID(fields["topic_id"])
}
