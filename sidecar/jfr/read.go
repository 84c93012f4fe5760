package jfr

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Errors about files that are something else.
var (
	ErrBinary = errors.New("this is a JFR file itself: print it with `jfr print --json --events jdk.JavaMonitorEnter FILE`")
	ErrFormat = errors.New("no recording with events in it: not what `jfr print --json` prints")
)

// magic begins a chunk of a JFR file (jfrChunk.cpp, MAGIC).
var magic = []byte("FLR\x00")

// Read hands every wait of a file to each, in the order of the file, which is
// roughly that of their ends. An error of each, which ends the reading, is
// returned as it is; one about the file names the line. What is left out is
// counted.
func Read(r io.Reader, each func(*Wait) error) (Stats, error) {
	d := &reader{s: newScanner(r), each: each, names: map[string]string{}}
	if d.s.read() && bytes.HasPrefix(d.s.ahead, magic) {
		return Stats{}, ErrBinary
	}
	d.file()
	return d.stats, d.s.err
}

type reader struct {
	s     *scanner
	each  func(*Wait) error
	wait  Wait
	what  kind
	when  span
	stats Stats
	names map[string]string
}

// kind is what an event is, as far as it was read.
type kind uint8

const (
	unknown kind = iota
	wait
	other
)

// span is the time of an event, as far as it was read.
type span struct{ start, length int64 }

func (d *reader) file() {
	found := d.inside("recording", func() bool { return d.inside("events", d.events) })
	d.s.end()
	if !found {
		d.s.fail(ErrFormat)
	}
}

// inside reads an object, and the member of this name by read; false if there
// is none, or read says so.
func (d *reader) inside(name string, read func() bool) (found bool) {
	if !d.s.begin('{') {
		return false
	}
	for d.s.key() {
		if string(d.s.text) == name {
			found = read() || found
		} else {
			d.s.skip()
		}
	}
	return found
}

func (d *reader) events() bool {
	if !d.s.begin('[') {
		return false
	}
	for d.s.element() {
		d.one()
	}
	return true
}

// one reads an event and hands it on.
func (d *reader) one() {
	d.stats.Events++
	d.wait, d.what, d.when = Wait{}, unknown, span{-1, -1}
	if !d.s.begin('{') {
		d.stats.Broken++
		return
	}
	for d.s.key() {
		switch string(d.s.text) {
		case "type":
			d.what = other
			if d.s.isString() && string(d.s.text) == monitorEnter {
				d.what = wait
			}
		case "values":
			d.values()
		default:
			d.s.skip()
		}
	}
	if d.s.err == nil {
		if err := d.hand(); err != nil {
			d.s.stop(err)
		}
	}
}

// hand counts the event, or hands it on.
func (d *reader) hand() error {
	switch w := &d.wait; {
	case d.what != wait:
		d.stats.Others++
	case d.when.start < 0 || d.when.length < 0 || d.when.start+d.when.length < 0:
		d.stats.Broken++
	case !w.Thread.known():
		d.stats.NoThread++
	default:
		w.Start, w.End = d.when.start, d.when.start+d.when.length
		return d.each(w)
	}
	return nil
}

// values reads the fields of an event, be it that its type comes after them.
func (d *reader) values() {
	if d.what == other {
		d.s.skip()
		return
	}
	if !d.s.begin('{') {
		return
	}
	for d.s.key() {
		switch string(d.s.text) {
		case "startTime":
			d.when.start = d.unix()
		case "duration":
			d.when.length = d.duration()
		case "eventThread":
			d.wait.Thread = d.thread()
		case "previousOwner":
			d.wait.Owner = d.thread()
		case "monitorClass":
			d.wait.Class = d.class()
		case "address":
			d.wait.Address = uint64(d.integer())
		default:
			d.s.skip()
		}
	}
}

func (d *reader) thread() (t Thread) {
	if !d.s.begin('{') {
		return t
	}
	for d.s.key() {
		switch string(d.s.text) {
		case "osThreadId":
			t.OSID = d.integer()
		case "javaThreadId":
			t.JavaID = d.integer()
		case "javaName":
			t.Name = d.name()
		default:
			d.s.skip()
		}
	}
	return t
}

// class is the name of a class, with slashes.
func (d *reader) class() (name string) {
	if !d.s.begin('{') {
		return ""
	}
	for d.s.key() {
		if string(d.s.text) == "name" {
			name = d.name()
		} else {
			d.s.skip()
		}
	}
	if strings.IndexByte(name, '.') >= 0 {
		return strings.ReplaceAll(name, ".", "/")
	}
	return name
}

// integer is a whole number, signed or not; 0 if it is none.
func (d *reader) integer() int64 {
	if !d.s.isNumber() {
		return 0
	}
	text := string(d.s.text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return int64(n)
}

// maxNames bounds the names that are kept to be the same string again.
const maxNames = 1 << 16

// name is a string of which there are few.
func (d *reader) name() string {
	if !d.s.isString() {
		return ""
	}
	if name, ok := d.names[string(d.s.text)]; ok {
		return name
	}
	if len(d.names) >= maxNames {
		clear(d.names)
	}
	name := strings.ToValidUTF8(string(d.s.text), "\uFFFD")
	d.names[string(d.s.text)] = name
	return name
}
