package bpf

import (
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkJournalHit measures, as BenchmarkHit does, the programs that handles of
// ext4 and fsyncs hit: of processes that are not traced ("idle"), of traced ones
// outside and inside of a write.
func BenchmarkJournalHit(b *testing.B) {
	dir := mount(b, 64, "", "mkfs.ext4", "-q", "-F").dir
	file := int(createSegment(b, dir, "orders-0", segment).Fd())
	buf := batch(0, 200)
	mode := uint32(0)
	chmod := func() error { // one handle, no write
		mode ^= 1
		return unix.Fchmod(file, 0o600|mode)
	}
	at := int64(0)
	extend := func() error { // a handle inside a write
		at += 200
		if at > 16<<20 {
			at = 0
			if err := unix.Ftruncate(file, 0); err != nil {
				return err
			}
		}
		_, err := unix.Pwrite(file, buf, at)
		return err
	}
	memory, err := unix.MemfdCreate("fsync", 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(memory)
	for _, c := range []struct {
		name   string
		traced bool
		see    []string
		f      func() error
	}{
		{"handle/idle", false, []string{SubjectWrite, SubjectHandleWait}, chmod},
		{"handle/outside", true, []string{SubjectWrite, SubjectHandleWait}, chmod},
		{"handle/inside", true, []string{SubjectWrite, SubjectHandleWait}, extend},
		{"fsync/idle", false, []string{SubjectFsync}, func() error { return unix.Fsync(memory) }},
		{"fsync/traced", true, []string{SubjectFsync}, func() error { return unix.Fsync(memory) }},
		{"origin/idle", false, []string{SubjectCommitOrigin}, func() error { return unix.Fsync(file) }},
	} {
		b.Run(c.name, func(b *testing.B) { hitWith(b, Options{see: c.see, RingSize: 64 << 20}, c.traced, c.f) })
	}
}
