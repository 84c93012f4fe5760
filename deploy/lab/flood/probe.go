package flood

import (
	"fmt"

	"github.com/tailspan/tailspan/bpf"
)

// The layout of records is bpf/kern/record.h's; a test reads them back with
// bpf.Decode.

const (
	recordVersion = 1
	comm          = "data-plane-kafk" // of handlers and network threads
	recordHead    = 24
)

// record begins one of a fixed size; tail is what follows it, in units.
func record(kind bpf.Kind, flags byte, size, tail int) []byte {
	b := make([]byte, size)
	b[0], b[1], b[2], b[3] = byte(kind), recordVersion, flags, byte(tail)
	le.PutUint32(b[4:], brokerPID)
	return b
}

// stamp says whose a record is, and when.
func stamp(b []byte, tid int32, at int64) {
	le.PutUint32(b[8:], uint32(tid))
	le.PutUint64(b[16:], uint64(at))
}

// startOf is where all records that last have their start.
const startOf = 24

func begun(b []byte, at int64) { le.PutUint64(b[startOf:], uint64(at)) }

// Offsets in a write.
const (
	writeFixed  = 160
	writeOffset = 40
	writeHead   = 96
)

func (p *partition) writeRecord(records []byte) []byte {
	b := record(bpf.KindWrite, 1, writeFixed, len(p.dir))
	le.PutUint32(b[12:], device)
	le.PutUint64(b[32:], p.inode)
	le.PutUint64(b[48:], uint64(len(records)))
	copy(b[56:], comm)
	copy(b[72:], "00000000000000000000.log")
	copy(b[writeHead:], records[:batchHead])
	be.PutUint32(b[writeHead+batchEpoch:], leaderEpoch)
	return append(b, p.dir...)
}

// written patches a write, and appends to the log.
func (p *partition) written(s *shape, tid int32, from, to int64, crc uint32) (raw []byte, base int64) {
	b := s.write
	stamp(b, tid, to)
	begun(b, from)
	le.PutUint64(b[writeOffset:], uint64(p.size))
	be.PutUint64(b[writeHead+batchBase:], uint64(p.next))
	be.PutUint32(b[writeHead+batchCRC:], crc)
	base = p.next
	p.next += int64(s.records)
	p.size += int64(s.bytes)
	return b, base
}

// probes are the templates of all other records.
type probes struct {
	wake, dirty, offCPU, park          []byte
	enter, entered, exit               []byte
	journal, commitOrigin, commitStats []byte
}

// stackOf is where a write sleeps for a buffer that a commit writes, as it was seen
// on Linux 6.18, innermost first.
var stackOf = []string{"__schedule", "schedule", "io_schedule", "bit_wait_io", "__wait_on_bit", "out_of_line_wait_on_bit",
	"do_get_write_access", "jbd2_journal_get_write_access", "__ext4_journal_get_write_access", "ext4_reserve_inode_write",
	"__ext4_mark_inode_dirty", "ext4_dirty_inode", "__mark_inode_dirty", "file_modified_flags", "ext4_buffered_write_iter",
	"vfs_write", "ksys_write", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"}

const (
	monitorClass = "java/lang/Object"
	parkTimed    = 1
	parkKernel   = 2
	offCPUIO     = 2
)

func newProbes() *probes {
	named := func(b []byte, at int) []byte {
		copy(b[at:at+15], comm)
		return b
	}
	p := &probes{
		wake:         record(bpf.KindWake, 0, recordHead, 0),
		dirty:        named(record(bpf.KindDirtyInode, 0, 56, 0), 40),
		offCPU:       named(record(bpf.KindOffCPU, offCPUIO, 56, len(stackOf)), 40),
		park:         named(record(bpf.KindPark, parkTimed|parkKernel, 64, 0), 48),
		enter:        append(named(record(bpf.KindMonitorEnter, 0, 56, len(monitorClass)), 40), monitorClass...),
		entered:      named(record(bpf.KindMonitorEntered, 0, 56, 0), 40),
		exit:         named(record(bpf.KindMonitorExit, 0, 56, 0), 40),
		journal:      record(bpf.KindJournal, 0, 32, 0),
		commitOrigin: record(bpf.KindCommitOrigin, 0, 64, 0),
		commitStats:  record(bpf.KindCommitStats, 0, 72, 0),
	}
	for i := range stackOf { // the numbers that the symbols fact names
		p.offCPU = le.AppendUint64(p.offCPU, uint64(i+1))
	}
	for _, b := range [][]byte{p.journal, p.commitOrigin, p.commitStats} {
		le.PutUint32(b[12:], device)
		le.PutUint32(b[4:], journalTID)
	}
	le.PutUint32(p.dirty[12:], device)
	le.PutUint32(p.commitOrigin[28:], uint32(bpf.OriginInterval))
	return p
}

// symbols are the names of the stack's numbers.
func symbols() map[uint64]string {
	m := map[uint64]string{}
	for i, name := range stackOf {
		m[uint64(i+1)] = name
	}
	return m
}

// handlerName is the full name of a handler thread.
func handlerName(tid int32) string {
	return fmt.Sprintf("data-plane-kafka-request-handler-%d", tid-handlerTID)
}
