package report

import (
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxCell bounds a cell: what is longer is cut, and ends in …
const maxCell = 120

// column is a table's. Its width grows with what is put in it.
type column struct {
	title string
	width int
	right bool // aligned right
}

// table writes rows as they come, under a header that is written once. A row
// is made cell by cell, from left to right, and ended by end.
type table struct {
	w       io.Writer
	columns []column
	line    []byte
	cell    []byte
	next    int // column of the next cell
	pad     int // blanks owed before it
	header  bool
}

func newTable(w io.Writer, columns []column) *table {
	t := &table{w: w, columns: append([]column(nil), columns...)}
	for i := range t.columns {
		c := &t.columns[i]
		c.width = max(c.width, len(c.title))
	}
	return t
}

func (t *table) text(s string) {
	t.cell = appendClean(t.cell[:0], s)
	t.put()
}

// name is a text that may be absent.
func (t *table) name(s string) {
	if s == "" {
		t.none(1)
		return
	}
	t.text(s)
}

// none fills n cells of which nothing is known.
func (t *table) none(n int) {
	for range n {
		t.text("-")
	}
}

func (t *table) number(n int64) {
	t.cell = strconv.AppendInt(t.cell[:0], n, 10)
	t.put()
}

func (t *table) time(ns int64, in *time.Location) {
	if in == nil {
		in = time.Local
	}
	t.cell = time.Unix(0, ns).In(in).AppendFormat(t.cell[:0], clockFormat)
	t.put()
}

func (t *table) latency(ns int64) {
	t.cell = appendDuration(t.cell[:0], ns)
	t.put()
}

// put moves the cell into the line.
func (t *table) put() {
	c := &t.columns[t.next]
	n := utf8.RuneCount(t.cell)
	if n > maxCell {
		t.cell, n = cut(t.cell, maxCell), maxCell
	}
	c.width = max(c.width, n)
	blanks := c.width - n
	if c.right {
		t.pad += blanks
		blanks = 0
	}
	t.line = appendBlanks(t.line, t.pad)
	t.line = append(t.line, t.cell...)
	t.pad = blanks + 2
	t.next++
}

func (t *table) end() error {
	if !t.header {
		t.header = true
		if err := t.writeHeader(); err != nil {
			return err
		}
	}
	t.line = append(t.line, '\n')
	_, err := t.w.Write(t.line)
	t.line, t.next, t.pad = t.line[:0], 0, 0
	return err
}

// writeHeader is called with the first row made, whose widths it uses.
func (t *table) writeHeader() error {
	var b []byte
	pad := 0
	for _, c := range t.columns {
		blanks := c.width - len(c.title)
		if c.right {
			pad += blanks
			blanks = 0
		}
		b = append(appendBlanks(b, pad), c.title...)
		pad = blanks + 2
	}
	_, err := t.w.Write(append(b, '\n'))
	return err
}

func appendBlanks(b []byte, n int) []byte {
	for range n {
		b = append(b, ' ')
	}
	return b
}

// cut leaves n runes of b, the last of them an ellipsis.
func cut(b []byte, n int) []byte {
	i := 0
	for range n - 1 {
		_, size := utf8.DecodeRune(b[i:])
		i += size
	}
	return append(b[:i], "…"...)
}
