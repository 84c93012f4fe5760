package doctor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/jvm"
)

// maxMounts bounds the lines of a mountinfo that are read.
const maxMounts = 1 << 16

// examineDisk finds the mount of a log dir in the broker's own mountinfo: by
// its device, and of those by the longest mount point. dir can be opened.
func examineDisk(o *Options, b jvm.Broker, dir string) (LogDir, error) {
	root := fmt.Sprintf("%s/%d/root", o.proc, b.PID)
	d := LogDir{Dir: strings.TrimPrefix(dir, root)}
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		return d, fmt.Errorf("stat: %w", err)
	}
	d.Device = fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	f, err := os.Open(fmt.Sprintf("%s/%d/mountinfo", o.proc, b.PID))
	if err != nil {
		return d, err
	}
	defer f.Close()
	if !d.find(f) {
		return d, fmt.Errorf("no mount of device %s", d.Device)
	}
	switch d.Kind {
	case "ext4", "ext3":
		o.examineExt4(&d, root, st.Dev)
	case "xfs":
		d.Journal = xfsLog(dir)
	}
	return d, nil
}

// find reads mountinfo: id parent major:minor root point options [tags] -
// type source superoptions.
func (d *LogDir) find(r io.Reader) bool {
	best := -1
	lines := bufio.NewScanner(r)
	for n := 0; n < maxMounts && lines.Scan(); n++ {
		mount, super, ok := strings.Cut(lines.Text(), " - ")
		f, s := strings.Fields(mount), strings.Fields(super)
		if !ok || len(f) < 6 || len(s) < 2 || f[2] != d.Device {
			continue
		}
		fit := 0
		if point := octal.Replace(f[4]); d.Dir == point || strings.HasPrefix(d.Dir, strings.TrimSuffix(point, "/")+"/") {
			fit = len(point)
		}
		if fit > best {
			best, d.Kind, d.Source, d.Options = fit, s[0], octal.Replace(s[1]), strings.Split(f[5], ",")
			if len(s) > 2 {
				d.adds(strings.Split(s[2], ","))
			}
		}
	}
	return best >= 0
}

// octal undoes the kernel's escapes (fs/seq_file.c: mangle_path).
var octal = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// adds takes on the options of the file system beside those of the mount,
// which alone say whether this mount may be written to.
func (d *LogDir) adds(options []string) {
	for _, s := range options {
		if s != "" && s != "rw" && s != "ro" && !slices.Contains(d.Options, s) {
			d.Options = append(d.Options, s)
		}
	}
}

// kernelName is what the kernel calls a block device: sda1, dm-3.
func (o *Options) kernelName(d *LogDir) string {
	name := filepath.Base(d.Source)
	if link, err := os.Readlink(filepath.Join(o.sys, "dev/block", d.Device)); err == nil {
		name = filepath.Base(link)
	}
	return strings.ReplaceAll(name, "/", "!")
}

// telling are the options that bear on what a write waits for.
var telling = []string{"ro", "sync", "dirsync", "noatime", "relatime", "strictatime", "lazytime", "data=", "commit=", "barrier=", "nobarrier",
	"nodelalloc", "journal_async_commit", "dax", "dioread_lock", "logbufs=", "logbsize=", "wsync", "usrquota", "grpquota", "prjquota"}

func (d LogDir) String() string {
	s := fmt.Sprintf("%s: %s on %s (%s)", d.Dir, d.Kind, d.Source, d.Device)
	for _, option := range d.Options {
		name, _, valued := strings.Cut(option, "=")
		if slices.Contains(telling, option) || valued && slices.Contains(telling, name+"=") {
			s += ", " + option
		}
	}
	if d.Journal != nil {
		return s + "; " + d.Journal.String()
	}
	if d.Kind == "ext4" {
		s += "; no journal"
	}
	return s
}

func (j Journal) String() string {
	s := "journal " + j.Name
	if j.Name == "" {
		s = "log"
	}
	says := func(known *bool, yes, no string) {
		if text := no; known != nil {
			if *known {
				text = yes
			}
			if text != "" {
				s += ", " + text
			}
		}
	}
	if j.Bytes != nil {
		s += fmt.Sprintf(" of %d MiB", *j.Bytes>>20)
	}
	says(j.External, "external", "")
	says(j.Checksums, "checksums", "no checksums")
	says(j.FastCommit, "fast commits", "no fast commits")
	return s
}
