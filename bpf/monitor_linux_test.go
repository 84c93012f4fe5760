package bpf

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// jvm is a running testdata/Contend.java.
type jvm struct {
	pid     int32
	libjvm  string
	threads [2]int64 // Java's ids of the two
	in      io.Writer
	out     *bufio.Scanner
}

func startJVM(t *testing.T, rounds int) *jvm {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no JVM")
	}
	if java, err = filepath.EvalSymlinks(java); err != nil {
		t.Fatal(err)
	}
	libjvm := filepath.Join(filepath.Dir(filepath.Dir(java)), "lib/server/libjvm.so")
	if _, err := os.Stat(libjvm); err != nil {
		t.Skipf("no libjvm beside %s", java)
	}
	cmd := exec.Command(java, "-Xmx64m", "-XX:+DTraceMonitorProbes", "testdata/Contend.java", strconv.Itoa(rounds))
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errorsOf(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	j := &jvm{pid: int32(cmd.Process.Pid), libjvm: libjvm, in: in, out: bufio.NewScanner(out)}
	if !j.out.Scan() {
		t.Fatal("the JVM says nothing: ", j.out.Err())
	}
	if _, err := fmt.Sscanf(j.out.Text(), "ready %d %d", &j.threads[0], &j.threads[1]); err != nil {
		t.Skipf("this JVM does not take the flag: %q", j.out.Text())
	}
	return j
}

// contend lets the two threads loose and waits for them.
func (j *jvm) contend(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(j.in, "\n"); err != nil {
		t.Fatal(err)
	}
	if !j.out.Scan() || j.out.Text() != "done" {
		t.Fatalf("%q, %v", j.out.Text(), j.out.Err())
	}
}

// 32-bit names of the registers that have odd ones.
var wide = map[string]string{"eax": "rax", "ebx": "rbx", "ecx": "rcx", "edx": "rdx",
	"esi": "rsi", "edi": "rdi", "ebp": "rbp"}

const note = `Name: (%s)\s+Location: (0x[0-9a-f]+).*\s+Arguments: (.*)`

func readSites(t *testing.T, libjvm string) []USDTSite {
	t.Helper()
	return readProbes(t, libjvm, `monitor__contended__\w+`)
}

// readProbes has readelf parse the notes: package jvm, which does it in earnest,
// is none of ours.
func readProbes(t *testing.T, libjvm, names string) []USDTSite {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("reads amd64's notation only")
	}
	out, err := exec.Command("readelf", "-n", "-W", libjvm).Output()
	if err != nil {
		t.Skip("no readelf: ", err)
	}
	file, err := elf.Open(libjvm)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var sites []USDTSite
	for _, m := range regexp.MustCompile(fmt.Sprintf(note, names)).FindAllStringSubmatch(string(out), -1) {
		address, err := strconv.ParseUint(m[2], 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		sites = append(sites, USDTSite{m[1], fileOffset(t, file, address), readArgs(t, m[3])})
	}
	if len(sites) == 0 {
		t.Skipf("%s has no probes %s", libjvm, names)
	}
	return sites
}

func fileOffset(t testing.TB, file *elf.File, address uint64) uint64 {
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && address >= p.Vaddr && address < p.Vaddr+p.Filesz {
			return address - p.Vaddr + p.Off
		}
	}
	t.Fatalf("%#x is in no segment", address)
	return 0
}

func readArgs(t *testing.T, s string) []USDTArg {
	var args []USDTArg
	for _, word := range strings.Fields(s) {
		size, reg, ok := strings.Cut(word, "@%")
		n, err := strconv.ParseInt(size, 10, 8)
		if !ok || err != nil {
			t.Fatalf("argument %q", word)
		}
		if w := wide[reg]; w != "" {
			reg = w
		}
		args = append(args, USDTArg{Reg: strings.TrimSuffix(reg, "d"), Size: int8(n)})
	}
	return args
}

func TestMonitors(t *testing.T) {
	for _, way := range []siteWay{uprobeMulti, uprobe, uprobeCopy} {
		t.Run(string(way), func(t *testing.T) { testMonitors(t, way) })
	}
}

func testMonitors(t *testing.T, way siteWay) {
	needRoot(t)
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err == nil {
		defer stats.Close()
	}
	p := open(t, Options{})
	j := startJVM(t, 20)
	sites := readSites(t, j.libjvm)
	p.sites.only = way
	begun := time.Now()
	sees, err := p.AttachSites(j.pid, j.libjvm, sites)
	t.Logf("attached to %d sites in %v", len(sites), time.Since(begun))
	if errors.Is(err, ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Status() {
		if s.Name == SubjectMonitor {
			check(t, "backend", s.Backend, string(way))
			check(t, "attached", s.Attached, true)
			check(t, "error", s.Err, nil)
		}
	}
	// The same file once more, for another process: no record may come twice.
	other, err := p.AttachSites(int32(os.Getpid()), j.libjvm, sites)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	worked := make(chan bool)
	go func() { worked <- seeWorked(p, j.pid, stop) }()
	j.contend(t)
	close(stop)
	check(t, "a wait makes the next wake-up worth a record", <-worked, attached(p, SubjectWake))
	checkMonitors(t, drain(t, p), j)
	err = p.eachProgram(func(name string, _ *ebpf.Program, s *ebpf.ProgramStats) {
		if name == probesProgMonitor && s.RunCount > 0 {
			t.Logf("%v a hit, of %d", s.Runtime/time.Duration(s.RunCount), s.RunCount)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(sees.Close(), sees.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	check(t, "free sites after Close", len(p.sites.free), maxSites)
}

// seeWorked looks, until it is stopped, for a thread of the process that has
// done what a wake-up tells the end of.
func seeWorked(p *Probes, tgid int32, stop chan struct{}) bool {
	threads := p.shared.Maps[probesMapThreads]
	raw := make([]byte, threads.ValueSize())
	for {
		var tid uint32
		for entries := threads.Iterate(); entries.Next(&tid, &raw); {
			if le.Uint32(raw[threadTGID:]) == uint32(tgid) && raw[1] == 1 {
				return true
			}
		}
		select {
		case <-stop:
			return false
		case <-time.After(time.Millisecond):
		}
	}
}

func checkMonitors(t *testing.T, all []seen, j *jvm) {
	t.Helper()
	const class = "Contend$Bone"
	waiting := map[int32]seen{} // by tid
	var bone uint64
	var waits, exits int
	for _, s := range all {
		m := s.Monitor
		if s.Kind == KindMonitorEnter && string(m.Class) == class {
			bone = m.Address
		}
		if m.Address != bone {
			continue // the JVM's own
		}
		check(t, "tgid", s.TGID, j.pid)
		name := map[int64]string{j.threads[0]: "first", j.threads[1]: "second"}[m.JavaThread]
		check(t, "thread of "+s.Kind.String(), string(m.Comm), name)
		switch s.Kind {
		case KindMonitorEnter:
			check(t, "class", string(m.Class), class)
			waiting[s.TID] = s
		case KindMonitorEntered:
			check(t, "class", len(m.Class), 0)
			if e, ok := waiting[s.TID]; !ok || e.Time >= s.Time {
				t.Errorf("entered at %d without enter: %+v", s.Time, e)
			}
			delete(waiting, s.TID)
			waits++
		case KindMonitorExit:
			if _, ok := waiting[s.TID]; ok {
				t.Error("exit of a waiting thread")
			}
			exits++
		}
	}
	// 40 turns of 5 ms; the threads hand over or keep the bone as they like.
	if waits == 0 || exits == 0 || waits > 40 || exits > 40 {
		t.Errorf("%d waits and %d exits", waits, exits)
	}
	t.Logf("%d waits, %d exits, %d records", waits, exits, len(all))
}
