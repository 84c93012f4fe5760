package segment

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailspan/tailspan/sidecar/topics"
)

const (
	maxProperties = 64 << 10  // meta.properties has some 120 bytes
	maxCheckpoint = 64 << 20  // a line a partition
	maxSegments   = 1_000_000 // files looked at in one partition
	maxPartitions = 1 << 12   // of which the listing is remembered
)

// Dir is one log dir.
type Dir struct {
	Path string
	Node int32 // the broker's id, of meta.properties; -1: unknown

	partitions map[string]*partition
	cleaned    checkpoint
	starts     checkpoint
}

// partition is the listing of a partition's directory, valid while the
// directory does not change.
type partition struct {
	changed  time.Time
	id       [16]byte // zero: unknown
	segments []int64  // base offsets, ascending
}

// OpenDir takes a directory as a broker's log dir.
func OpenDir(path string) (*Dir, error) {
	entries, err := topics.List(path, maxSegments)
	if err != nil {
		return nil, fmt.Errorf("open log dir: %w", err)
	}
	d := &Dir{Path: path, Node: -1, partitions: map[string]*partition{}}
	is := false
	for _, name := range entries {
		if name == "meta.properties" {
			is, d.Node = true, node(filepath.Join(path, name))
		}
		if _, _, ok := topics.ParsePartition(name); ok {
			is = true
		}
	}
	if !is {
		return nil, fmt.Errorf("open log dir %s: neither meta.properties nor a topic-partition directory is in it: name one of the broker's log.dirs", path)
	}
	return d, nil
}

// node is the broker's id, of either version of meta.properties.
func node(path string) int32 {
	id := int32(-1)
	_ = lines(path, maxProperties, func(line string) {
		key, value, _ := strings.Cut(line, "=")
		if key == "node.id" || key == "broker.id" {
			if n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32); err == nil {
				id = int32(n)
			}
		}
	})
	return id
}

func lines(path string, most int64, line func(string)) error {
	f, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(io.LimitReader(f, most))
	for s.Scan() {
		line(s.Text())
	}
	return s.Err()
}

// ErrNoPartition says that the log dir has no directory of this name.
var ErrNoPartition = errors.New("no such partition here")

// partition lists a partition's directory.
func (d *Dir) partition(name string) (*partition, error) {
	path := filepath.Join(d.Path, name)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, ErrNoPartition
	}
	if err != nil {
		return nil, err
	}
	if p := d.partitions[name]; p != nil && p.changed.Equal(info.ModTime()) {
		return p, nil
	}
	files, err := topics.List(path, maxSegments)
	if err != nil {
		return nil, err
	}
	p := &partition{changed: info.ModTime()}
	if p.id, err = topics.ReadPartitionID(path); err != nil {
		p.id = [16]byte{} // a broker before 2.8 writes none
	}
	for _, file := range files {
		if base, ok := baseOf(file); ok {
			p.segments = append(p.segments, base)
		}
	}
	slices.Sort(p.segments)
	if len(d.partitions) >= maxPartitions {
		clear(d.partitions)
	}
	d.partitions[name] = p
	return p, nil
}

// holding is the base offset of the segment that an offset belongs to.
func (p *partition) holding(offset int64) (base int64, ok bool) {
	i, exact := slices.BinarySearch(p.segments, offset)
	if !exact {
		i--
	}
	if i < 0 {
		return 0, false
	}
	return p.segments[i], true
}

// marked says whether a directory of the partition is on its way out: Kafka
// renames it to topic-partition.uuid-delete, or -stray, first.
func (d *Dir) marked(name string) bool {
	for _, suffix := range []string{"-delete", "-stray"} {
		if found, _ := filepath.Glob(filepath.Join(d.Path, name+".*"+suffix)); len(found) > 0 {
			return true
		}
	}
	return false
}

// checkpoint is a file of offsets by partition, read again when it changes.
type checkpoint struct {
	changed time.Time
	offsets map[string]int64
}

// of is what the file says of a partition, by the name of its directory; ok is
// false where it says nothing.
func (c *checkpoint) of(path, name string) (offset int64, ok bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	if !info.ModTime().Equal(c.changed) {
		*c = checkpoint{info.ModTime(), map[string]int64{}}
		_ = lines(path, maxCheckpoint, func(line string) { // version, count, then: topic partition offset
			if f := strings.Fields(line); len(f) == 3 {
				if offset, err := strconv.ParseInt(f[2], 10, 64); err == nil {
					c.offsets[f[0]+"-"+f[1]] = offset
				}
			}
		})
	}
	offset, ok = c.offsets[name]
	return offset, ok
}

// cleanedTo is the offset up to which the cleaner has rewritten a partition; ok
// is false where it never did.
func (d *Dir) cleanedTo(name string) (offset int64, ok bool) {
	return d.cleaned.of(filepath.Join(d.Path, "cleaner-offset-checkpoint"), name)
}

// start is the first offset of a partition that is not deleted, as far as is
// known: within a segment the broker deletes by noting an offset, once a minute.
func (d *Dir) start(p *partition, name string) int64 {
	noted, _ := d.starts.of(filepath.Join(d.Path, "log-start-offset-checkpoint"), name)
	if len(p.segments) == 0 {
		return noted
	}
	return max(noted, p.segments[0])
}

// compacted says that the cleaner may have rewritten the batch of an offset. It
// notes how far it came only when it is through, and replaces segments before.
func (d *Dir) compacted(p *partition, name string, offset int64) bool {
	to, ok := d.cleanedTo(name)
	n := len(p.segments)
	return ok && (offset < to || n > 0 && offset < p.segments[n-1])
}
