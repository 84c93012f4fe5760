package report

import (
	"strconv"

	"github.com/tailspan/tailspan/sidecar/assemble"
)

// The columns of the tables, as the design names them; a width is that of what
// is usual, so that the first rows stand right too.
var (
	requestColumns = []column{
		{"ARRIVAL TIME", clockWidth, false}, {"END TIME", clockWidth, false}, {"LATENCY", 8, true},
		{"MESSAGE_ID", 12, false}, {"TOPIC", 12, false}, {"PARTITION", 0, true},
	}
	writeColumns = []column{
		{"START TIME", clockWidth, false}, {"END TIME", clockWidth, false}, {"LATENCY", 8, true},
		{"TID", 7, true}, {"BYTES", 8, true}, {"OFF_KB", 8, true}, {"FILE", 0, false},
	}
	columns = map[string][]column{
		"requests": requestColumns,
		"writes":   writeColumns,
		"joined":   append(append(requestColumns[:6:6], writeColumns...), column{"JOIN", 0, false}),
		"waits": {
			{"START TIME", clockWidth, false}, {"END TIME", clockWidth, false}, {"LATENCY", 8, true},
			{"WAITER", 42, false}, {"HOLDER", 42, false}, {"HELD", 8, true}, {"HOLDERS", 0, true}, {"CLASS", 0, false},
		},
		"commits": {
			{"START TIME", clockWidth, false}, {"END TIME", clockWidth, false}, {"LATENCY", 8, true},
			{"DEVICE", 0, false}, {"TRANSACTION", 0, true}, {"LOCKING", 8, true}, {"FLUSHING", 8, true}, {"LOGGING", 8, true},
			{"HELD TID", 0, true}, {"INODE", 8, true}, {"FOR", 8, true}, {"WHAT", 16, false}, {"ORIGIN", 0, false},
		},
	}
)

// requestTable prints a row a message id, or one for a partition without ids.
func (p *Printer) requestTable(r *assemble.RequestRow) error {
	if len(r.Partitions) == 0 {
		p.times(r.Arrival, r.End)
		p.table.none(3)
		return p.table.end()
	}
	for i := range r.Partitions {
		q := &r.Partitions[i]
		for n := range max(1, len(q.MessageIDs)) {
			p.request(r.Arrival, r.End, at(q.MessageIDs, n), q.Topic, q.Partition)
			if err := p.table.end(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Printer) request(arrival int64, end *int64, id, topic string, partition int32) {
	p.times(arrival, end)
	p.table.name(id)
	p.table.name(topic)
	p.table.number(int64(partition))
}

func (p *Printer) times(start int64, end *int64) {
	t := p.table
	t.time(start, p.Location)
	if end == nil {
		t.none(2)
		return
	}
	t.time(*end, p.Location)
	t.latency(*end - start)
}

func (p *Printer) writeTable(r *assemble.WriteRow) error {
	p.write(r.Start, r.End, r.TID, r.Bytes, r.Offset, r.File)
	return p.table.end()
}

func (p *Printer) write(start, end int64, tid int32, bytes, offset int64, file string) {
	t := p.table
	t.time(start, p.Location)
	t.time(end, p.Location)
	t.latency(end - start)
	t.number(int64(tid))
	t.number(bytes)
	t.number(offset / 1024)
	t.name(file)
}

func (p *Printer) joinedTable(r *assemble.JoinedRow) error {
	for n := range max(1, len(r.MessageIDs)) {
		p.request(r.Arrival, r.End, at(r.MessageIDs, n), r.Topic, r.Partition)
		p.write(r.WriteStart, r.WriteEnd, r.TID, r.Bytes, r.Offset, r.File)
		p.table.name(r.Join)
		if err := p.table.end(); err != nil {
			return err
		}
	}
	return nil
}

func (p *Printer) waitTable(r *assemble.WaitRow) error {
	t := p.table
	t.time(r.Start, p.Location)
	t.time(r.End, p.Location)
	t.latency(r.Latency)
	t.text(thread(r.Thread, r.TID))
	if r.HolderTID != nil && r.HolderThread != nil {
		t.text(thread(*r.HolderThread, *r.HolderTID))
	} else {
		t.none(1)
	}
	if longest := longest(r.Holders); longest > 0 {
		t.latency(longest)
	} else {
		t.none(1)
	}
	t.number(int64(len(r.Holders)))
	t.name(r.Class)
	return t.end()
}

// longest is the longest share of a wait, the holder's.
func longest(holders []assemble.HolderRow) (ns int64) {
	for i := range holders {
		ns = max(ns, holders[i].NS)
	}
	return ns
}

// commitTable prints a row for each ext4_dirty_inode, or wait for a handle, that
// was held up, or one.
func (p *Printer) commitTable(r *assemble.CommitRow) error {
	t := p.table
	for n := range max(1, len(r.Held)) {
		t.time(r.Start, p.Location)
		t.time(r.End, p.Location)
		t.latency(r.Latency)
		t.text(r.Device)
		t.number(int64(r.Transaction))
		t.latency(r.Locking)
		t.latency(r.Flushing)
		t.latency(r.Logging)
		if n < len(r.Held) {
			h := &r.Held[n]
			t.number(int64(h.TID))
			if h.Inode != nil {
				t.number(int64(*h.Inode))
			} else {
				t.none(1)
			}
			t.latency(h.End - h.Start)
			t.text(h.What)
		} else {
			t.none(4)
		}
		t.name(origin(r))
		if err := t.end(); err != nil {
			return err
		}
	}
	return nil
}

// origin is why a commit began, and who asked for it.
func origin(r *assemble.CommitRow) string {
	switch {
	case r.Origin == nil:
		return ""
	case r.By == nil:
		return *r.Origin
	}
	return *r.Origin + " " + thread(r.By.Thread, r.By.TID)
}

// thread is a thread's name with its id, as logs of the JVM show both.
func thread(name string, tid int32) string {
	return name + " [" + strconv.Itoa(int(tid)) + "]"
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
