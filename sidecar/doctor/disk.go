package doctor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/jvm"
)

// maxMounts bounds the lines of a mountinfo that are read.
const maxMounts = 1 << 16

// disk is the file system of a log dir.
type disk struct {
	dir     string
	kind    string // ext4, xfs, …; "" when it is not known
	source  string // /dev/…
	options string
	device  string // major:minor
	journal string // its name below /proc/fs/jbd2; "": none
	hidden  bool   // whether it has one cannot be seen
}

// examineDisk finds the mount of a log dir in the broker's own mountinfo: by
// its device, and of those by the longest mount point.
func examineDisk(o *Options, b jvm.Broker, dir string) (disk, error) {
	d := disk{dir: dir}
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		return d, fmt.Errorf("stat: %w", err)
	}
	d.device = fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	f, err := os.Open(fmt.Sprintf("%s/%d/mountinfo", o.proc, b.PID))
	if err != nil {
		return d, err
	}
	defer f.Close()
	seen := strings.TrimPrefix(dir, fmt.Sprintf("%s/%d/root", o.proc, b.PID))
	if !d.find(f, seen) {
		return d, fmt.Errorf("no mount of device %s", d.device)
	}
	if d.kind == "ext4" {
		d.journal, d.hidden = o.journal(d)
	}
	return d, nil
}

// find reads mountinfo: id parent major:minor root point options [tags] -
// type source superoptions.
func (d *disk) find(r io.Reader, dir string) bool {
	best := -1
	lines := bufio.NewScanner(r)
	for n := 0; n < maxMounts && lines.Scan(); n++ {
		mount, super, ok := strings.Cut(lines.Text(), " - ")
		f, s := strings.Fields(mount), strings.Fields(super)
		if !ok || len(f) < 6 || len(s) < 2 || f[2] != d.device {
			continue
		}
		fit := 0
		if point := octal.Replace(f[4]); dir == point || strings.HasPrefix(dir, strings.TrimSuffix(point, "/")+"/") {
			fit = len(point)
		}
		if fit > best {
			best, d.kind, d.source, d.options = fit, s[0], octal.Replace(s[1]), f[5]
			if len(s) > 2 {
				d.options = merge(f[5], s[2])
			}
		}
	}
	return best >= 0
}

// octal undoes the kernel's escapes (fs/seq_file.c: mangle_path).
var octal = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func merge(mount, super string) string {
	out := strings.Split(mount, ",")
	for s := range strings.SplitSeq(super, ",") {
		if s != "rw" && s != "ro" {
			out = append(out, s)
		}
	}
	return strings.Join(out, ",")
}

// journal finds the journal by the block device's kernel name: "sda1-8" for
// one in inode 8, as ext4 has it. A journal on a device of its own has that
// device's name, which does not tell whose it is.
func (o *Options) journal(d disk) (journal string, hidden bool) {
	dir := filepath.Join(o.proc, "fs/jbd2")
	if _, err := os.Stat(dir); err != nil {
		return "", true
	}
	name := filepath.Base(d.source)
	if link, err := os.Readlink(filepath.Join(o.sys, "dev/block", d.device)); err == nil {
		name = filepath.Base(link)
	}
	found, _ := filepath.Glob(filepath.Join(dir, strings.ReplaceAll(name, "/", "!")+"-*"))
	if len(found) == 0 {
		return "", false
	}
	return filepath.Base(found[0]), false
}

func (d disk) String() string {
	s := fmt.Sprintf("%s: %s on %s (%s) %s", d.dir, d.kind, d.source, d.device, d.options)
	switch {
	case d.journal != "":
		s += ", journal " + d.journal
	case d.kind == "ext4" && !d.hidden:
		s += ", no journal"
	}
	return s
}
