package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/jvm"
)

func TestMountinfo(t *testing.T) {
	const info = `21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw,discard
22 21 253:3 / /data\040one rw,noatime shared:2 master:1 - ext4 /dev/mapper/vg-data rw,data=writeback
23 21 253:3 /x /elsewhere ro - ext4 /dev/mapper/vg-data rw
24 21 0:5 / /proc rw - proc proc rw
25 21 254:0 /sub /var/lib rw - ext4 /dev/root rw
`
	for _, c := range []struct{ device, dir, want string }{
		{"253:3", "/data one/logs", "ext4 on /dev/mapper/vg-data (253:3), noatime, data=writeback; no journal"},
		{"253:3", "/elsewhere", "ext4 on /dev/mapper/vg-data (253:3), ro; no journal"},
		{"253:3", "/data one", "ext4 on /dev/mapper/vg-data (253:3), noatime, data=writeback; no journal"},
		{"254:0", "/tmp/x", "ext4 on /dev/root (254:0), relatime; no journal"},
		{"9:9", "/tmp/x", ""},
	} {
		d := LogDir{Device: c.device, Dir: c.dir}
		if ok := d.find(strings.NewReader(info)); ok != (c.want != "") || ok && d.String() != c.dir+": "+c.want {
			t.Errorf("%s: %v, %v", c.dir, ok, d)
		}
	}
}

// TestJournalName: by its device's name, or by its thread's.
func TestJournalName(t *testing.T) {
	o := fakeHost(t, allSubjects())
	if err := os.MkdirAll(o.sys+"/dev/block", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../devices/virtual/block/dm-3", o.sys+"/dev/block/253:3"); err != nil {
		t.Fatal(err)
	}
	if name := o.kernelName(&LogDir{Source: "/dev/mapper/vg-data", Device: "253:3"}); name != "dm-3" {
		t.Errorf("kernel name %q", name)
	}
	for device, want := range map[string]string{"dm-3": "dm-3-8", "dm-33": "", "dm-4": "sdc1"} {
		if name := o.journalName(device); name != want {
			t.Errorf("%s: %q, want %q", device, name, want)
		}
	}
}

// TestFileSystems holds what is told of real file systems to what their own
// tools tell.
func TestFileSystems(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount")
	}
	for name, c := range map[string]struct {
		make    []string
		options string
		size    int64
		want    []string // of String
		journal bool
	}{
		"ordered":     {[]string{"mkfs.ext4", "-q", "-J", "size=8"}, "noatime", 64 << 20, []string{"noatime, commit=5, data=ordered; journal loop", "of 8 MiB, checksums, no fast commits"}, true},
		"writeback":   {[]string{"mkfs.ext4", "-q", "-O", "^metadata_csum"}, "data=writeback,commit=17", 64 << 20, []string{"commit=17, data=writeback; journal", "no checksums"}, true},
		"fast commit": {[]string{"mkfs.ext4", "-q", "-O", "fast_commit"}, "relatime", 64 << 20, []string{"data=ordered; journal", ", fast commits"}, true},
		"no journal":  {[]string{"mkfs.ext4", "-q", "-O", "^has_journal"}, "relatime", 64 << 20, []string{"; no journal"}, false},
		"xfs":         {[]string{"mkfs.xfs", "-q"}, "noatime", 320 << 20, []string{"xfs on /dev/loop", "noatime", "; log of "}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			image, mnt := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
			write(image, "")
			if err := os.Truncate(image, c.size); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(mnt, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, cmd := range [][]string{append(c.make, image), {"mount", "-o", "loop," + c.options, image, mnt}} {
				if out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
					t.Skipf("%v: %v: %s", cmd, err, out)
				}
			}
			defer func() {
				if out, err := exec.Command("umount", mnt).CombinedOutput(); err != nil {
					t.Errorf("umount: %v: %s", err, out)
				}
			}()
			o := &Options{}
			o.complete()
			d, err := examineDisk(o, jvm.Broker{Process: jvm.Process{PID: int32(os.Getpid())}}, mnt)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(d.String(), want) {
					t.Errorf("%v lacks %q", d, want)
				}
			}
			if (d.Journal != nil) != c.journal {
				t.Fatalf("journal %+v", d.Journal)
			}
			switch {
			case d.Kind == "xfs":
				holdToXFS(t, d, mnt)
			case c.journal:
				holdToExt4(t, d)
			}
		})
	}
}

func said(t *testing.T, of string, command ...string) []string {
	t.Helper()
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		t.Skipf("%v: %v", command, err)
	}
	found := regexp.MustCompile(of).FindStringSubmatch(string(out))
	if found == nil {
		t.Fatalf("%v says nothing of %s:\n%s", command, of, out)
	}
	return found[1:]
}

func holdToExt4(t *testing.T, d LogDir) {
	blocks, _ := strconv.ParseInt(said(t, `Total journal blocks: +(\d+)`, "dumpe2fs", "-h", d.Source)[0], 10, 64)
	size, _ := strconv.ParseInt(said(t, `Block size: +(\d+)`, "dumpe2fs", "-h", d.Source)[0], 10, 64)
	if got := *d.Journal.Bytes; got != blocks*size {
		t.Errorf("journal of %d bytes, dumpe2fs says %d", got, blocks*size)
	}
	features := strings.Fields(said(t, `Filesystem features:(.*)`, "dumpe2fs", "-h", d.Source)[0])
	if got := *d.Journal.FastCommit; got != slices.Contains(features, "fast_commit") {
		t.Errorf("fast commits %v, dumpe2fs says %v", got, features)
	}
	if _, err := os.Stat("/proc/fs/jbd2/" + d.Journal.Name); err != nil {
		t.Error(err)
	}
}

func holdToXFS(t *testing.T, d LogDir, mnt string) {
	log := said(t, `log +=(\S+).* bsize=(\d+) +blocks=(\d+)`, "xfs_info", mnt)
	size, _ := strconv.ParseInt(log[1], 10, 64)
	blocks, _ := strconv.ParseInt(log[2], 10, 64)
	if *d.Journal.Bytes != blocks*size || *d.Journal.External == (log[0] == "internal") {
		t.Errorf("%v, xfs_info says %v", d.Journal, log)
	}
}
