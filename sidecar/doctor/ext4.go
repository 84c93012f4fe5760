package doctor

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// examineExt4 asks the kernel's files about a mounted ext4: /proc/fs/ext4/DEV
// has all options, the defaults too; the name of the journal's thread is that
// of the journal. What only the superblock says is read where the device may
// be opened: the kernel keeps it in the page cache, so that no disk is asked.
func (o *Options) examineExt4(d *LogDir, root string, dev uint64) {
	name := o.kernelName(d)
	if b, err := os.ReadFile(filepath.Join(o.proc, "fs/ext4", name, "options")); err == nil {
		d.adds(strings.Fields(string(b)))
	}
	sb, known := readSuperblock(dev, root+d.Source, d.Source)
	journal := o.journalName(name)
	if journal == "" && (!known || !sb.has(compat, compatHasJournal)) {
		return
	}
	d.Journal = &Journal{Name: journal}
	if known {
		sb.journal(d.Journal)
	}
	if slices.Contains(d.Options, "journal_checksum") {
		yes := true
		d.Journal.Checksums = &yes
	}
}

// journalName is a name below /proc/fs/jbd2: "sda1-8" for a journal in inode 8
// of sda1, the device's own name for one on a device of its own (fs/jbd2/
// journal.c: jbd2_journal_init_inode, jbd2_journal_init_dev). The jbd2 thread is
// called after it, which finds either where threads may be seen.
func (o *Options) journalName(device string) string {
	pid, err := os.ReadFile(filepath.Join(o.sys, "fs/ext4", device, "journal_task"))
	if err == nil {
		comm, err := os.ReadFile(filepath.Join(o.proc, strings.TrimSpace(string(pid)), "comm"))
		if name, ok := strings.CutPrefix(strings.TrimSpace(string(comm)), "jbd2/"); err == nil && ok {
			return name
		}
	}
	found, _ := filepath.Glob(filepath.Join(o.proc, "fs/jbd2", device+"-*"))
	if len(found) == 0 {
		return ""
	}
	return filepath.Base(found[0])
}

// superblock is ext4's, 1,024 bytes (Documentation/filesystems/ext4/super.rst).
type superblock [1024]byte

// Offsets within it, and the features that are looked at.
const (
	atSuperblock  = 1024 // of the device
	logBlockSize  = 0x18
	magic         = 0x38
	compat        = 0x5c
	roCompat      = 0x64
	journalInum   = 0xe0
	journalDev    = 0xe4
	jnlBackupType = 0xfd
	jnlSizeHigh   = 0x10c + 4*15
	jnlSizeLow    = 0x10c + 4*16

	superMagic         = 0xef53
	compatHasJournal   = 0x4
	compatFastCommit   = 0x400
	roCompatMetaCsum   = 0x400
	jnlBackupHasBlocks = 1
)

var le = binary.LittleEndian

func (s *superblock) has(field int, feature uint32) bool { return le.Uint32(s[field:])&feature != 0 }

// readSuperblock reads it from the first path that is the device's node.
func readSuperblock(dev uint64, paths ...string) (s superblock, known bool) {
	block := fmt.Sprintf("/dev/block/%d:%d", unix.Major(dev), unix.Minor(dev))
	for _, path := range append(paths, block) {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK && st.Rdev == dev {
			n, _ := unix.Pread(fd, s[:], atSuperblock)
			known = n == len(s) && le.Uint16(s[magic:]) == superMagic
		}
		_ = unix.Close(fd)
		if known {
			return s, true
		}
	}
	return s, false
}

// journal says what the superblock knows of it. Metadata checksums bring the
// journal's own along (fs/ext4/super.c: set_journal_csum_feature_set).
func (s *superblock) journal(j *Journal) {
	external := le.Uint32(s[journalInum:]) == 0 && le.Uint32(s[journalDev:]) != 0
	checksums, fast := s.has(roCompat, roCompatMetaCsum), s.has(compat, compatFastCommit)
	j.External, j.Checksums, j.FastCommit = &external, &checksums, &fast
	if s[jnlBackupType] == jnlBackupHasBlocks && !external {
		size := int64(le.Uint32(s[jnlSizeHigh:]))<<32 | int64(le.Uint32(s[jnlSizeLow:]))
		j.Bytes = &size
	}
}
