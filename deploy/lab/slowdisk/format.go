package slowdisk

import (
	"cmp"
	"strings"
)

// Format is the file system of a disk. The zero value is ext4 as it is.
type Format struct {
	Type    string // ext4 or xfs; "": ext4
	Feature string // of ext4, beyond its usual ones: fast_commit
	Data    string // options of the mount: data=writeback
}

func (f Format) kind() string { return cmp.Or(f.Type, "ext4") }

func (f Format) String() string {
	return strings.Join(strings.Fields(f.kind()+" "+f.Feature+" "+f.Data), " ")
}

// mkfs is the command that makes it, but for the device. An ext4 has all its tables
// written at once rather than by a background thread later, and a small journal:
// the disk is small, too.
func (f Format) mkfs() []string {
	if f.Type == "xfs" {
		return []string{"mkfs.xfs", "-q", "-f", "-K"}
	}
	args := []string{"mkfs.ext4", "-q", "-F", "-b", "4096", "-N", "8192", "-J", "size=16",
		"-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"}
	if f.Feature != "" {
		args = append(args, "-O", f.Feature)
	}
	return args
}
