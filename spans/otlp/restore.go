package otlp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// path of a segment. Its number makes the order.
func (d *disk) path(number uint64) string {
	return filepath.Join(d.dir, fmt.Sprintf("%020d%s", number, segmentSuffix))
}

// restore takes in the segments of earlier processes. Files that are not ours
// are left alone.
func (d *disk) restore() error {
	files, err := os.ReadDir(d.dir) // in the order of their names
	if err != nil {
		return err
	}
	for _, f := range files {
		digits, ok := strings.CutSuffix(f.Name(), segmentSuffix)
		number, err := strconv.ParseUint(digits, 10, 64)
		if !ok || err != nil || len(digits) != 20 || !f.Type().IsRegular() {
			continue
		}
		d.number = max(d.number, number)
		if err := d.take(d.path(number)); err != nil {
			d.failed("read queue directory", fmt.Errorf("%s: %w", f.Name(), err))
		}
	}
	return nil
}

// take takes in one segment.
func (d *disk) take(path string) error {
	s, err := openSegment(path)
	switch {
	case errors.Is(err, errTorn):
		d.torn(Count{Traces: 1})
		return os.Remove(path)
	case errors.Is(err, errEmpty):
		return os.Remove(path)
	case err != nil:
		return err
	}
	if s.end == 0 {
		cut, err := s.count()
		if err != nil {
			return errors.Join(err, s.close())
		}
		d.torn(cut)
		if err := s.writeHeader(); err != nil {
			d.failed("write to queue directory", err)
		}
	}
	if err := s.close(); err != nil {
		return err
	}
	if s.left() == (Count{}) {
		return os.Remove(path)
	}
	d.sealed = append(d.sealed, s)
	d.grow(s.size)
	d.queue.restored(s.left())
	return nil
}

func (d *disk) torn(n Count) {
	d.queue.restored(n)
	d.queue.lost(n, torn)
}
