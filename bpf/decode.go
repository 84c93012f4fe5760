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

	headerSize      = 24
	writeSize       = 160 // and the directory
	dirtyInodeSize  = 56
	journalSize     = 32
	monitorSize     = 56  // and the class
	offCPUSize      = 56  // and the stack
	sampleSize      = 40  // likewise
	fsyncSize       = 104 // and the directory
	journalWaitSize = 56
	originSize      = 64
	statsSize       = 72
	fastCommitSize  = 64
	logForceSize    = 56
	blockIOSize     = 72
	threadStartSize = 32 // and the name
	parkSize        = 64
	vmSize          = 32 // and the name

	commLen   = 16
	nameLen   = 24
	headLen   = 61
	fileLen   = 40
	maxClass  = 80
	maxStack  = 64
	maxRecord = offCPUSize + 8*maxStack

	writeBatch  = 1
	writeUnread = 2
	monitorCut  = 1
	monitorFunc = 2
	maxThread   = 128
	maxVMName   = 80

	offCPUPreempted = 1
	offCPUIO        = 2
	fsyncData       = 1
	parkTimed       = 1
	parkKernel      = 2
	vmConcurrent    = 1
	vmFull          = 2
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

// The fixed sizes, flags, longest tails and sizes of a tail's unit by kind; a
// size of 0 is no kind.
var shapes = [kindCount]struct{ size, flags, tail, unit uint8 }{
	KindWrite:          {writeSize, writeBatch | writeUnread, 255, 1},
	KindWake:           {size: headerSize},
	KindDirtyInode:     {size: dirtyInodeSize},
	KindJournal:        {size: journalSize},
	KindMonitorEnter:   {monitorSize, monitorCut | monitorFunc, maxClass, 1},
	KindMonitorEntered: {size: monitorSize, flags: monitorFunc},
	KindMonitorExit:    {size: monitorSize, flags: monitorFunc},
	KindOffCPU:         {offCPUSize, offCPUPreempted | offCPUIO, maxStack, 8},
	KindSample:         {sampleSize, 0, maxStack, 8},
	KindFsync:          {fsyncSize, fsyncData, 255, 1},
	KindJournalWait:    {size: journalWaitSize},
	KindCommitOrigin:   {size: originSize},
	KindCommitStats:    {size: statsSize},
	KindFastCommit:     {size: fastCommitSize},
	KindLogForce:       {size: logForceSize},
	KindBlockIO:        {size: blockIOSize},
	KindThreadStart:    {threadStartSize, 0, maxThread, 1},
	KindPark:           {size: parkSize, flags: parkTimed | parkKernel},
	KindVMOperation:    {vmSize, vmConcurrent, maxVMName, 1},
	KindGC:             {size: vmSize, flags: vmFull},
}

func decode(raw []byte, r *Record) bool {
	if len(raw) < headerSize || raw[0] >= byte(kindCount) || raw[1] != recordVersion {
		return false
	}
	flags, tail := raw[2], raw[3]
	shape := &shapes[raw[0]]
	if shape.size == 0 || flags&^shape.flags != 0 || tail > shape.tail || len(raw) != int(shape.size)+int(tail)*int(shape.unit) {
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
	case KindOffCPU:
		r.OffCPU.decode(raw, flags)
	case KindSample:
		r.Sample.decode(raw)
	case KindFsync:
		r.Fsync.decode(raw, flags)
	case KindJournalWait:
		return r.JournalWait.decode(raw)
	case KindCommitOrigin:
		return r.CommitOrigin.decode(raw)
	case KindCommitStats:
		r.CommitStats.decode(raw)
	case KindFastCommit:
		r.FastCommit.decode(raw)
	case KindLogForce:
		r.LogForce.decode(raw)
	case KindBlockIO:
		r.BlockIO.decode(raw)
	case KindThreadStart:
		r.ThreadStart.decode(raw)
	case KindPark:
		r.Park.decode(raw, flags)
	case KindVMOperation, KindGC:
		r.VM.decode(raw, flags)
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
	m.ClassCut, m.Function = flags&monitorCut != 0, flags&monitorFunc != 0
}

// text is a NUL-terminated name without its end.
func text(b []byte) []byte {
	if n := bytes.IndexByte(b, 0); n >= 0 {
		return b[:n:n]
	}
	return b[:len(b):len(b)]
}
