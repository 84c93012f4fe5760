package page

import (
	"math"
	"slices"
)

// series are what the columns of a timeline count.
type series int

const (
	seriesRequests series = iota
	seriesAppends         // of which no request could be read
	seriesWrites
	seriesCommits
	seriesCount
)

const (
	maxColumns  = 1024
	columnStart = 1_000_000 // ns: as wide as a column is at first

	rowsPerDecade = 10
	rowsBottom    = 1_000 // ns: what is faster is in the lowest row
	rowsCount     = 8*rowsPerDecade + 1
)

// rowEdges are the lower edges of the rows: row 0 is below the first.
var rowEdges = func() (edges [rowsCount]int64) {
	for i := range edges {
		edges[i] = int64(math.Round(rowsBottom * math.Pow(10, float64(i)/rowsPerDecade)))
	}
	return edges
}()

// rowOf is the row of a latency: row i, but the first, begins at rowEdges[i-1].
func rowOf(ns int64) int {
	i, found := slices.BinarySearch(rowEdges[:], ns)
	if found {
		i++
	}
	return i
}

// column is what ended in one stretch of time.
type column struct {
	cells [seriesCount][]uint64 // by row; nil: nothing
	max   [seriesCount]int64
	slow  uint64 // requests
}

// timeline counts latencies by time and size. When it grows beyond its columns,
// two become one, so that what it takes does not depend on how long it lasts.
// Columns begin at multiples of their width.
type timeline struct {
	width   int64
	first   int64 // of columns[0], in widths
	columns []column
}

func (t *timeline) add(s series, at, ns int64, slow bool) {
	c := t.column(at)
	if c.cells[s] == nil {
		c.cells[s] = make([]uint64, rowsCount+1)
	}
	c.cells[s][rowOf(ns)]++
	c.max[s] = max(c.max[s], ns)
	if slow {
		c.slow++
	}
}

// column finds the one of an instant, and makes room for it.
func (t *timeline) column(at int64) *column {
	if t.width == 0 {
		t.width = columnStart
	}
	i := floorDiv(at, t.width)
	if len(t.columns) == 0 {
		t.first, t.columns = i, make([]column, 1, maxColumns)
	}
	for max(i, t.first+int64(len(t.columns))-1)-min(i, t.first) >= maxColumns {
		t.halve()
		i = floorDiv(at, t.width)
	}
	if before := t.first - i; before > 0 {
		t.columns = slices.Insert(t.columns, 0, make([]column, before)...)
		t.first = i
	}
	for t.first+int64(len(t.columns)) <= i {
		t.columns = append(t.columns, column{})
	}
	return &t.columns[i-t.first]
}

// halve makes one of two columns.
func (t *timeline) halve() {
	first := t.first >> 1
	for k := range t.columns {
		to := int((t.first+int64(k))>>1 - first)
		if to == k {
			continue
		}
		if (t.first+int64(k))&1 == 0 {
			t.columns[to] = t.columns[k]
		} else {
			t.columns[to].merge(&t.columns[k])
		}
	}
	last := (t.first + int64(len(t.columns)) - 1) >> 1
	n := int(last-first) + 1
	clear(t.columns[n:])
	t.columns, t.first, t.width = t.columns[:n], first, t.width*2
}

// merge adds another column, which is used up.
func (c *column) merge(o *column) {
	c.slow += o.slow
	for s := range c.cells {
		c.max[s] = max(c.max[s], o.max[s])
		if c.cells[s] == nil {
			c.cells[s] = o.cells[s]
			continue
		}
		for i, n := range o.cells[s] {
			c.cells[s][i] += n
		}
	}
}

// widen makes columns as wide as another timeline's.
func (t *timeline) widen(width int64) {
	for t.width < width && len(t.columns) > 0 {
		t.halve()
	}
}

func (t *timeline) copy() *timeline {
	u := *t
	u.columns = slices.Clone(t.columns)
	for i := range u.columns {
		for s := range u.columns[i].cells {
			u.columns[i].cells[s] = slices.Clone(u.columns[i].cells[s])
		}
	}
	return &u
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
