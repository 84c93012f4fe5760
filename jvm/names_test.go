package jvm

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/unix"
)

// namesJVM runs testdata/Names.java: threads whose names and ids are known
// from the threads themselves.
type namesJVM struct {
	Process
	in    io.WriteCloser
	out   *bufio.Scanner
	names map[int32]string // by the id in its own pid namespace
	inner map[int32]int32  // that id by the one that we have
}

// compiled is the program's class, for JDK 8 and later, where anybody may read
// it and nobody mounts anything.
func compiled(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "names-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	out, err := exec.Command("javac", "--release", "8", "-Xlint:-options", "-d", dir, "testdata/Names.java").CombinedOutput()
	if err != nil {
		t.Skipf("no javac: %v: %s", err, out)
	}
	for _, d := range append([]string{dir}, glob(dir+"/*")...) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func glob(pattern string) []string {
	found, _ := filepath.Glob(pattern)
	return found
}

// startNames starts it from its classes; wrap, if not nil, makes another command of java's.
func startNames(t testing.TB, home, classes string, names []string, wrap func(java []string) *exec.Cmd, options ...string) *namesJVM {
	t.Helper()
	java := append([]string{filepath.Join(home, "bin/java"), "-Xmx64m", "-XX:+UseSerialGC"}, options...)
	java = append(java, "-cp", classes, "Names", strconv.Itoa(len(names)))
	if len(names) > 100 {
		java = append(java, "busy")
	}
	if wrap == nil {
		wrap = func(java []string) *exec.Cmd { return exec.Command(java[0], java[1:]...) }
	}
	cmd := wrap(java)
	cmd.Stderr = os.Stderr
	j := &namesJVM{names: map[int32]string{}}
	var err error
	if j.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("%v does not start: %v", cmd.Args, err)
	}
	t.Cleanup(func() {
		j.in.Close()
		if j.PID != 0 {
			unix.Kill(int(j.PID), unix.SIGKILL)
			os.Remove(fmt.Sprintf("/tmp/.java_pid%d", j.PID))
		}
		cmd.Process.Kill()
		cmd.Wait()
	})
	go func() {
		for _, n := range names {
			fmt.Fprintln(j.in, inHex(n))
		}
	}()
	j.out = bufio.NewScanner(out)
	deadline := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer deadline.Stop()
	for j.line(t) != "up" {
	}
	j.PID = innermost(int32(cmd.Process.Pid))
	if j.StartTime, err = (proc{"/proc", j.PID}).startTime(); err != nil {
		t.Fatal(err)
	}
	if j.inner, err = (proc{"/proc", j.PID}).tasks(true); err != nil {
		t.Fatal(err)
	}
	return j
}

// line reads one line, and keeps the thread that it tells of.
func (j *namesJVM) line(t testing.TB) string {
	t.Helper()
	if !j.out.Scan() {
		t.Fatalf("it ended: %v", j.out.Err())
	}
	id, hex, told := strings.Cut(j.out.Text(), " ")
	n, err := strconv.Atoi(id)
	if told && err == nil {
		j.names[int32(n)] = fromHex(hex)
	} else if j.out.Text() != "up" {
		t.Fatal(j.out.Text())
	}
	return j.out.Text()
}

// innermost is the process at the end of a chain of only children.
func innermost(pid int32) int32 {
	for {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		f := strings.Fields(string(b))
		if len(f) != 1 {
			return pid
		}
		n, _ := strconv.Atoi(f[0])
		pid = int32(n)
	}
}

func inHex(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04x", u)
	}
	return b.String()
}

func fromHex(s string) string {
	var u []uint16
	for i := 0; i+4 <= len(s); i += 4 {
		n, _ := strconv.ParseUint(s[i:i+4], 16, 16)
		u = append(u, uint16(n))
	}
	return string(utf16.Decode(u))
}

// holds compares a dump with what the threads said. The threads of doubtful
// names may be missing, and no others.
func (j *namesJVM) holds(t *testing.T, d Dump, doubtful func(name string) bool) {
	t.Helper()
	right, missing := 0, 0
	for own, name := range j.names {
		got, ok := d.Names[j.inner[own]]
		want := JavaText([]byte(name)) // cut as names are
		switch {
		case ok && got == want:
			right++
		case ok:
			t.Errorf("thread %d: %q, want %q", own, got, want)
		case doubtful != nil && doubtful(name):
			missing++
		default:
			t.Errorf("thread %d, %q, is missing", own, want)
		}
	}
	t.Logf("%d right, %d left out; %d doubtful, %d in all, %d bytes, %v", right, missing, d.Doubtful, len(d.Names), d.Bytes, d.Took)
}

// holdsKernel compares what the kernel calls the threads with what HotSpot is
// said to make of their names.
func (j *namesJVM) holdsKernel(t *testing.T) {
	t.Helper()
	ways := map[int]int{}
	for own, name := range j.names {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/comm", j.PID, j.inner[own]))
		if err != nil {
			t.Fatal(err)
		}
		comm, of := strings.TrimSuffix(string(b), "\n"), KernelNames(name)
		way := slices.Index(of[:], comm)
		if way < 0 {
			t.Errorf("%q is %q for the kernel, not %q", name, comm, of)
		}
		if of[0] != of[1] {
			ways[way]++
		}
	}
	if len(ways) != 1 {
		t.Errorf("cut in different ways: %v", ways)
	}
	t.Logf("cut in way %v", ways)
}

// evil are names that a parser trips over, among names of Kafka's.
func evil(n int) []string {
	names := []string{
		`"`, `""`, `" #1 prio=5`, "a\nb", "\n", "\n\n", "\n\n\"", "\x00", "tab\there", "\u00e4\u00f6\u00fc \u4e2d\u6587", "\U0001f980 crab \U0001f980",
		`x" #7 [4711] daemon prio=5 os_prio=0 cpu=0.1ms elapsed=0.1s tid=0x00007f0000000000 nid=4711 runnable  [0x0]`,
		"x\" #7 prio=5 os_prio=0 cpu=0.1ms elapsed=0.1s tid=0x00007f0000000000 nid=0x1267 runnable\n\n\"main",
		"}\n\n\"main\" #1 nid=1 tid=0x1 nid=1", "_java_thread_list=0x1, length=1, elements={\n0x1\n}", "\n_java_thread_list=0x1, length=1, elements={\n0x1\n}\n",
		strings.Repeat("long", 31), strings.Repeat("longer", 300), strings.Repeat("longest", 500), strings.Repeat("\u4e2d", 60), strings.Repeat(`"`, 200), strings.Repeat("\n", 200),
	}
	for i := len(names); i < n; i++ {
		names = append(names, fmt.Sprintf("data-plane-kafka-request-handler-%d", i))
	}
	rand.Shuffle(n, func(i, k int) { names[i], names[k] = names[k], names[i] })
	return names
}
