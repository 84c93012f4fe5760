package bpf

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// ErrRecord says that the bytes are no record of this version.
var ErrRecord = errors.New("malformed probe record")

// The layout is kern/record.h's.
const (
	recordVersion = 1

	headerSize     = 24
	writeSize      = 160 // and the directory
	dirtyInodeSize = 56
	journalSize    = 32
	monitorSize    = 56 // and the class

	commLen   = 16
	nameLen   = 24
	headLen   = 61
	maxClass  = 80
	maxRecord = writeSize + 255

	writeBatch  = 1
	writeUnread = 2
	monitorCut  = 1
)

// Decode reads one raw record, as handed out by [Probes.Read] or kept in a
// recording, into r. What it sets in r lies in raw and is valid as long as raw
// is. It allocates nothing. After an error r is zero.
func Decode(raw []byte, r *Record) error {
	if decode(raw, r) {
		return nil
	}
	*r = Record{}
	return ErrRecord
}

// The fixed sizes, flags and longest tails by kind; a size of 0 is no kind.
var shapes = [kindCount]struct{ size, flags, tail uint8 }{
	KindWrite:          {writeSize, writeBatch | writeUnread, 255},
	KindWake:           {headerSize, 0, 0},
	KindDirtyInode:     {dirtyInodeSize, 0, 0},
	KindJournal:        {journalSize, 0, 0},
	KindMonitorEnter:   {monitorSize, monitorCut, maxClass},
	KindMonitorEntered: {monitorSize, 0, 0},
	KindMonitorExit:    {monitorSize, 0, 0},
}

func decode(raw []byte, r *Record) bool {
	if len(raw) < headerSize || raw[0] >= byte(kindCount) || raw[1] != recordVersion {
		return false
	}
	flags, tail := raw[2], raw[3]
	shape := &shapes[raw[0]]
	if shape.size == 0 || flags&^shape.flags != 0 || tail > shape.tail || len(raw) != int(shape.size)+int(tail) {
		return false
	}
	r.Kind = Kind(raw[0])
	r.TGID = int32(le.Uint32(raw[4:]))
	r.TID = int32(le.Uint32(raw[8:]))
	r.Time = int64(le.Uint64(raw[16:]))
	switch r.Kind {
	case KindWrite:
		return r.Write.decode(raw, flags)
	case KindDirtyInode:
		r.DirtyInode.decode(raw)
	case KindJournal:
		return r.Journal.decode(raw)
	case KindMonitorEnter, KindMonitorEntered, KindMonitorExit:
		r.Monitor.decode(raw, flags)
	}
	return true
}

var le = binary.LittleEndian

func (w *Write) decode(raw []byte, flags byte) bool {
	_ = raw[writeSize-1]
	w.Start = int64(le.Uint64(raw[24:]))
	w.Device = le.Uint32(raw[12:])
	w.Inode = le.Uint64(raw[32:])
	w.Offset = int64(le.Uint64(raw[40:]))
	w.Result = int64(le.Uint64(raw[48:]))
	w.Comm = text(raw[56 : 56+commLen])
	w.Name = raw[72 : 72+nameLen : 72+nameLen]
	w.Head = nil
	if flags&writeBatch != 0 {
		w.Head = raw[96 : 96+headLen : 96+headLen]
	}
	w.Unread = flags&writeUnread != 0
	w.Dir = raw[writeSize:len(raw):len(raw)]
	return flags != writeBatch|writeUnread
}

func (d *DirtyInode) decode(raw []byte) {
	_ = raw[dirtyInodeSize-1]
	d.Start = int64(le.Uint64(raw[24:]))
	d.Device = le.Uint32(raw[12:])
	d.Inode = le.Uint64(raw[32:])
	d.Comm = text(raw[40 : 40+commLen])
}

func (j *Journal) decode(raw []byte) bool {
	_ = raw[journalSize-1]
	j.Device = le.Uint32(raw[12:])
	j.Transaction = le.Uint32(raw[24:])
	j.Phase = Phase(le.Uint32(raw[28:]))
	return j.Phase != 0 && j.Phase < phaseCount
}

func (m *Monitor) decode(raw []byte, flags byte) {
	_ = raw[monitorSize-1]
	m.Address = le.Uint64(raw[24:])
	m.JavaThread = int64(le.Uint64(raw[32:]))
	m.Comm = text(raw[40 : 40+commLen])
	m.Class = raw[monitorSize:len(raw):len(raw)]
	m.ClassCut = flags&monitorCut != 0
}

// text is a NUL-terminated name without its end.
func text(b []byte) []byte {
	if n := bytes.IndexByte(b, 0); n >= 0 {
		return b[:n:n]
	}
	return b[:len(b):len(b)]
}
