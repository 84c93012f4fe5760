package bpf

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// quietExt4 commits only when it is asked to, or has to.
func quietExt4(t testing.TB, size int64, mkfs ...string) mounted {
	return mount(t, size, "commit=300", append([]string{"mkfs.ext4", "-q", "-F"}, mkfs...)...)
}

// settled is a watched device without a transaction of its making.
func settled(t *testing.T, p *Probes, fs mounted) {
	t.Helper()
	if err := errorsOf(p.WatchDevice(fs.dev), unix.Syncfs(openDir(t, fs.dir))); err != nil {
		t.Fatal(err)
	}
	drain(t, p)
}

func openDir(t *testing.T, dir string) int {
	t.Helper()
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return int(d.Fd())
}

func TestCommitOrigin(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		needForcers(t, p)
		fs := quietExt4(t, 32)
		f := createSegment(t, fs.dir, "orders-0", segment)
		dir := openDir(t, fs.dir)
		settled(t, p, fs)
		for _, c := range []struct {
			origin Origin
			force  func() error
		}{
			{OriginFsync, func() error { return unix.Fsync(int(f.Fd())) }},
			{OriginSync, func() error { return unix.Syncfs(dir) }},
			{OriginFsync, func() error { return unix.Fdatasync(int(f.Fd())) }},
			{OriginSync, func() error { unix.Sync(); return nil }},
		} {
			var tid int32
			onThread(func(id int32) {
				tid = id
				_, err := f.Write(batch(0, 8192))
				if err := errorsOf(err, c.force()); err != nil {
					t.Error(err)
				}
			})
			got := only(drain(t, p), KindCommitOrigin)
			if len(got) == 0 {
				t.Fatalf("%d: no commit", c.origin)
			}
			for _, s := range got { // a sync can need a second one
				o := s.CommitOrigin
				check(t, "origin", o.Origin, c.origin)
				check(t, "device", o.Device, fs.dev)
				check(t, "tid", o.TID, tid)
				check(t, "tgid", o.TGID, int32(os.Getpid()))
				check(t, "comm", string(o.Comm), comm(t))
				check(t, "journal's thread", strings.HasPrefix(nameOf(t, s.TID), "jbd2/"+fs.loop), true)
			}
		}
	}, SubjectCommitOrigin)
}

func nameOf(t *testing.T, tid int32) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", tid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// Another process that syncs is named, too.
// needForcers skips where it is only known whether the interval was over: by
// tp_btf alone, where the first way of it does not load.
func needForcers(t *testing.T, p *Probes) {
	t.Helper()
	for _, s := range p.Status() {
		for _, tried := range s.Tried {
			if s.Name == SubjectCommitOrigin && s.Backend == TpBTF && tried.Backend == TpBTF {
				t.Skipf("who asked for a commit cannot be searched for: %v", tried.Err)
			}
		}
	}
}

func TestCommitOriginOfAnother(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		if _, err := exec.LookPath("sync"); err != nil {
			t.Skip(err)
		}
		fs := quietExt4(t, 32)
		f := createSegment(t, fs.dir, "orders-0", segment)
		settled(t, p, fs)
		for _, c := range []struct {
			origin Origin
			args   []string
		}{{OriginSync, []string{"-f", fs.dir}}, {OriginFsync, []string{f.Name()}}} {
			if _, err := f.Write(batch(0, 8192)); err != nil {
				t.Fatal(err)
			}
			sync := exec.Command("sync", c.args...)
			if err := sync.Run(); err != nil {
				t.Fatal(err)
			}
			got := only(drain(t, p), KindCommitOrigin)
			if len(got) == 0 {
				t.Fatal("no commit")
			}
			for _, s := range got {
				check(t, "origin", s.CommitOrigin.Origin, c.origin)
				check(t, "tgid", s.CommitOrigin.TGID, int32(sync.Process.Pid))
				check(t, "comm", string(s.CommitOrigin.Comm), "sync")
			}
		}
	}, SubjectCommitOrigin)
}

func TestCommitOriginInterval(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		fs := mount(t, 32, "commit=1", "mkfs.ext4", "-q", "-F")
		f := createSegment(t, fs.dir, "orders-0", segment)
		settled(t, p, fs)
		if _, err := f.Write(batch(0, 100)); err != nil {
			t.Fatal(err)
		}
		got := awaitOrigins(t, p, 5*time.Second)
		check(t, "origin", got[0].CommitOrigin.Origin, OriginInterval)
		check(t, "asked by", got[0].CommitOrigin.TID, 0)
	}, SubjectCommitOrigin)
}

func awaitOrigins(t *testing.T, p *Probes, wait time.Duration) []seen {
	t.Helper()
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got := only(drain(t, p), KindCommitOrigin); len(got) > 0 {
			return got
		}
	}
	t.Fatal("no commit")
	return nil
}

// A journal of 4 MiB is filled by making directories; nobody syncs.
func TestCommitOriginSpace(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		fs := quietExt4(t, 256, "-b", "4096", "-J", "size=4")
		settled(t, p, fs)
		for i := range 1500 {
			if err := os.Mkdir(filepath.Join(fs.dir, fmt.Sprint(i)), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		got := only(drain(t, p), KindCommitOrigin)
		if len(got) == 0 {
			t.Fatal("no commit")
		}
		for _, s := range got {
			o := s.CommitOrigin
			check(t, "origin", o.Origin, OriginSpace)
			if o.Size < 900 || o.Size > 1024 || o.Free > o.Size {
				t.Errorf("%d blocks of %d", o.Free, o.Size)
			}
		}
		t.Logf("%d commits", len(got))
	}, SubjectCommitOrigin)
}

// The sums of all commits' figures are the journal's own, and a transaction runs
// as long as it is let.
func TestCommitStats(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		fs := quietExt4(t, 32)
		f := createSegment(t, fs.dir, "orders-0", segment)
		if n := journalInfo(t, fs)["transactions"]; n != 0 {
			t.Fatalf("%d transactions already", n)
		}
		if err := p.WatchDevice(fs.dev); err != nil {
			t.Fatal(err)
		}
		const life = 60 * time.Millisecond
		var longest time.Duration
		for i := range 10 {
			begun := time.Now()
			_, err := f.Write(batch(byte(i), 3000*i+1))
			time.Sleep(life)
			if err := errorsOf(err, unix.Fsync(int(f.Fd()))); err != nil {
				t.Fatal(err)
			}
			longest = max(longest, time.Since(begun))
		}
		got := only(drain(t, p), KindCommitStats)
		n := uint64(len(got))
		if n < 2 {
			t.Fatalf("%d commits", n)
		}
		first, last := got[0], got[n-1]
		ticks := float64(last.CommitStats.Jiffies-first.CommitStats.Jiffies) / float64(last.Time-first.Time)
		var handles, blocks, logged uint64
		for _, s := range got {
			c := s.CommitStats
			check(t, "device", c.Device, fs.dev)
			handles, blocks, logged = handles+uint64(c.Handles), blocks+uint64(c.Blocks), logged+uint64(c.Logged)
			// The clock of jiffies is a tick coarse at both ends, and a
			// transaction may begin while the one before it is committed.
			if ran := time.Duration(float64(c.Running+1) / ticks); ran < life || ran > 2*longest {
				t.Errorf("it ran for %v, at most %v from write to fsync: %+v", ran, longest, c)
			}
		}
		info := journalInfo(t, fs)
		check(t, "transactions", n, info["transactions"])
		check(t, "handles", handles/n, info["handles per transaction"])
		check(t, "blocks", blocks/n, info["blocks per transaction"])
		check(t, "logged", logged/n, info["logged blocks per transaction"])
	}, SubjectCommitStats)
}

// journalInfo is /proc/fs/jbd2/*/info: "  0 handles per transaction".
func journalInfo(t *testing.T, fs mounted) map[string]uint64 {
	t.Helper()
	return figures(t, filepath.Join("/proc/fs/jbd2", fs.loop+"-8", "info"))
}

// figures reads lines of a number and what it is of; a comma or a parenthesis
// ends that.
func figures(t *testing.T, path string) map[string]uint64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]uint64{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var n uint64
		line := strings.TrimSpace(lines.Text())
		number := strings.TrimRight(line[:len(line)-len(strings.TrimLeft(line, "0123456789"))], " ")
		if _, err := fmt.Sscan(number, &n); err != nil {
			continue
		}
		what, _, _ := strings.Cut(strings.TrimPrefix(line, number), ",")
		what, _, _ = strings.Cut(what, "(")
		all[strings.TrimSpace(what)] = n
	}
	return all
}

func TestFastCommit(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		fs := mount(t, 64, "commit=300", "mkfs.ext4", "-q", "-F", "-O", "fast_commit")
		f := createSegment(t, fs.dir, "orders-0", segment)
		settled(t, p, fs)
		before := figures(t, filepath.Join("/proc/fs/ext4", fs.loop, "fc_info"))
		var tid int32
		var begun, ended int64
		onThread(func(id int32) {
			tid, begun = id, monotonic()
			for i := range 5 {
				_, err := f.Write(batch(byte(i), 5000))
				if err := errorsOf(err, unix.Fsync(int(f.Fd()))); err != nil {
					t.Error(err)
				}
			}
			ended = monotonic()
		})
		after := figures(t, filepath.Join("/proc/fs/ext4", fs.loop, "fc_info"))
		var n, blocks uint64
		for _, s := range only(drain(t, p), KindFastCommit) {
			c := s.FastCommit
			check(t, "device", c.Device, fs.dev)
			check(t, "tid", s.TID, tid)
			check(t, "comm", string(c.Comm), comm(t))
			if !(begun <= c.Start && c.Start < s.Time && s.Time <= ended) {
				t.Errorf("%d..%d is not within %d..%d", c.Start, s.Time, begun, ended)
			}
			if c.Status == 0 {
				n, blocks = n+1, blocks+uint64(c.Blocks)
			}
		}
		check(t, "fast commits", n, after["commits"]-before["commits"])
		check(t, "blocks", blocks, after["numblks"]-before["numblks"])
		if n == 0 {
			t.Error("no fast commit")
		}
	}, SubjectFastCommit)
}
