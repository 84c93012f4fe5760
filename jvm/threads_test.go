package jvm

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
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

// TestThreads asks a JVM of each JDK for the names of 300 threads, two of them
// busy. The JVM's own log has the pauses.
func TestThreads(t *testing.T) {
	classes := compiled(t)
	for _, home := range jdks(t) {
		t.Run(filepath.Base(home), func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "safepoint.log")
			j := startNames(t, home, classes, evil(300), nil, "-Xlog:safepoint*=info:file="+log)
			d, err := Threads(t.Context(), "/proc", j.Process)
			if err != nil {
				t.Fatal(err)
			}
			j.holds(t, d, nil)
			j.holdsKernel(t)
			pause := longestPause(t, log)
			t.Logf("longest pause %v", pause)
			if pause == 0 || d.Took < pause {
				t.Errorf("took %v, less than the pause of %v", d.Took, pause)
			}
			if left := glob(fmt.Sprintf("/tmp/.attach_pid%d", j.PID)); left != nil {
				t.Errorf("left behind: %v", left)
			}
			fmt.Fprintln(j.in, inHex("late"))
			j.line(t)
			if j.inner, err = (proc{"/proc", j.PID}).tasks(true); err != nil {
				t.Fatal(err)
			}
			if d, err = Threads(t.Context(), "/proc", j.Process); err != nil {
				t.Fatal(err)
			}
			j.holds(t, d, nil)
		})
	}
}

// longestPause reads the JVM's own log of a thread dump's safepoint.
func longestPause(t *testing.T, file string) (longest time.Duration) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	printing := false
	for line := range strings.Lines(string(b)) {
		printing = printing || strings.Contains(line, "PrintThreads")
		var ns int64
		var seconds float64
		if _, rest, ok := strings.Cut(line, "Total: "); ok && strings.Contains(line, "PrintThreads") { // JDK 13 and later
			fmt.Sscan(rest, &ns)
		} else if _, rest, ok := strings.Cut(line, "threads were stopped: "); ok && printing {
			fmt.Sscan(rest, &seconds)
			printing = false
		}
		longest = max(longest, time.Duration(ns), time.Duration(seconds*1e9))
	}
	return longest
}

// TestForgedName: a thread that knows the addresses of others (any program can
// get a dump of itself) and bears their records as its name takes their names
// away, and gives them none.
func TestForgedName(t *testing.T) {
	classes := compiled(t)
	for _, home := range jdks(t) {
		t.Run(filepath.Base(home), func(t *testing.T) {
			j := startNames(t, home, classes, []string{"victim", "other"}, nil)
			door, err := openDoor("/proc", j.Process)
			if err != nil {
				t.Fatal(err)
			}
			defer door.Close()
			text, _, err := door.dump(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, record, _ := strings.Cut(string(text), "\n\"victim\" ")
			record, _, _ = strings.Cut(record, "\n")
			for _, forged := range []string{"x\" #1 prio=5\n\n\"forged\" " + record, "\n\n\"forged\" " + record + "\n\n\"x"} {
				fmt.Fprintln(j.in, inHex(forged))
				j.line(t)
			}
			if j.inner, err = (proc{"/proc", j.PID}).tasks(true); err != nil {
				t.Fatal(err)
			}
			d, err := Threads(t.Context(), "/proc", j.Process)
			if err != nil {
				t.Fatal(err)
			}
			if d.Doubtful == 0 {
				t.Error("nothing is doubtful")
			}
			j.holds(t, d, func(name string) bool { return name == "victim" || strings.Contains(name, "forged") })
		})
	}
}

// TestThreadsElsewhere: JVMs of another user, in pid and mount namespaces with
// a /tmp of their own, and in a user namespace, asked by root as it is, and as
// users with few capabilities.
func TestThreadsElsewhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make namespaces")
	}
	const inside = "mount -t proc proc /proc && mount -t tmpfs tmpfs /tmp && exec "
	places := map[string]func(java []string) *exec.Cmd{
		"user": func(java []string) *exec.Cmd {
			return exec.Command("setpriv", append([]string{"--reuid=65501", "--regid=65501", "--clear-groups"}, java...)...)
		},
		"pid namespace": func(java []string) *exec.Cmd {
			c := exec.Command("sh", "-c", inside+"setpriv --reuid=65501 --regid=65501 --clear-groups \"$@\"", "sh")
			c.Args = append(c.Args, java...)
			c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Unshareflags: unix.CLONE_NEWNS}
			return c
		},
		"user namespace": func(java []string) *exec.Cmd {
			c := exec.Command("sh", "-c", inside+"\"$@\"", "sh")
			c.Args = append(c.Args, java...)
			ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 65500, Size: 10}}
			c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWUSER,
				UidMappings: ids, GidMappings: ids, Credential: &syscall.Credential{Uid: 0, Gid: 0}}
			return c
		},
	}
	classes := compiled(t)
	const look = "+sys_ptrace,+dac_read_search"
	for name, wrap := range places {
		for _, home := range jdks(t) {
			t.Run(name+"/"+filepath.Base(home), func(t *testing.T) {
				test := exec.Command("setpriv", "--reuid=65501", "--regid=65501", "--clear-groups", "test", "-r", libjvmOf(home))
				if test.Run() != nil {
					t.Skip("the JDK is not for others")
				}
				j := startNames(t, home, classes, evil(40), wrap)
				for _, c := range []struct {
					uid  int
					caps string
					want string
				}{
					{65502, look, ErrOtherUser.Error()},
					{0, look, ErrOtherUser.Error()},
					{65502, look + ",+setuid,+setgid", ""},
					{0, look + ",+setuid,+setgid", ""},
				} {
					d, told := askAs(t, c.uid, c.caps, j.Process)
					if told != "" && c.want == "" || !strings.Contains(told, c.want) {
						t.Fatalf("uid %d with %s: %q, want %q", c.uid, c.caps, told, c.want)
					}
					if c.want == "" {
						j.holds(t, d, nil)
					}
				}
				d, err := Threads(t.Context(), "/proc", j.Process)
				if err != nil {
					t.Fatal(err)
				}
				j.holds(t, d, nil)
			})
		}
	}
}

// asked is what a child of this test binary tells.
type asked struct {
	Dump  Dump
	Error string
	Left  []string // of its threads: identities that are not its own
}

const askEnv = "JVM_TEST_ASK"

// TestAsk is that child.
func TestAsk(t *testing.T) {
	var p Process
	if n, _ := fmt.Sscan(os.Getenv(askEnv), &p.PID, &p.StartTime); n != 2 {
		t.Skip("is run by TestThreadsElsewhere")
	}
	before, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var a asked
	for range 3 {
		a.Dump, err = Threads(t.Context(), "/proc", p)
	}
	if err != nil {
		a.Error = err.Error()
	}
	if after, _ := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); after != before {
		a.Left = append(a.Left, fmt.Sprintf("dumpable %d, was %d", after, before))
	}
	for _, file := range glob("/proc/self/task/*/status") {
		b, _ := os.ReadFile(file)
		if who, err := parseStatus(string(b), 0); err == nil && who.user != ourselves() {
			a.Left = append(a.Left, fmt.Sprintf("%s: %+v", file, who))
		}
	}
	b, _ := json.Marshal(a)
	fmt.Printf("\nasked %s\n", b)
}

func askAs(t *testing.T, uid int, caps string, p Process) (Dump, string) {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "ask-") // where that user may come
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "jvm.test")
	b, err := os.ReadFile("/proc/self/exe")
	if err := errors.Join(err, os.Chmod(dir, 0o755), os.WriteFile(bin, b, 0o755)); err != nil {
		t.Fatal(err)
	}
	user := []string{fmt.Sprintf("--reuid=%d", uid), fmt.Sprintf("--regid=%d", uid), "--clear-groups"}
	if uid == 0 {
		user = append(user, "--inh-caps=-all", "--bounding-set=-all,"+caps)
	} else {
		user = append(user, "--inh-caps="+caps, "--ambient-caps="+caps)
	}
	cmd := exec.Command("setpriv", append(user, "--", bin, "-test.run", "^TestAsk$", "-test.v")...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", askEnv, p.PID, p.StartTime))
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	_, text, found := strings.Cut(string(out), "\nasked ")
	text, _, _ = strings.Cut(text, "\n")
	var a asked
	if e := json.Unmarshal([]byte(text), &a); err != nil || !found || e != nil {
		t.Fatalf("%v, %v: %s", err, e, out)
	}
	for _, l := range a.Left {
		t.Errorf("uid %d: left behind: %s", uid, l)
	}
	return a.Dump, a.Error
}

// TestNotAsked: nothing is sent to who is not to be asked, or would not survive
// it.
func TestNotAsked(t *testing.T) {
	home, classes := jdks(t)[0], compiled(t)
	for name, c := range map[string]struct {
		options []string
		want    error
	}{
		"disabled":       {[]string{"-XX:+DisableAttachMechanism"}, ErrNoAttach},
		"reduced":        {[]string{"-Xrs"}, nil}, // it has its socket from the start
		"reduced, alone": {[]string{"-Xrs", "-XX:+DisableAttachMechanism"}, ErrNoAttach},
	} {
		t.Run(name, func(t *testing.T) {
			j := startNames(t, home, classes, []string{"one"}, nil, c.options...)
			d, err := Threads(t.Context(), "/proc", j.Process)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if err == nil {
				j.holds(t, d, nil)
				if err := os.Remove(fmt.Sprintf("/tmp/.java_pid%d", j.PID)); err != nil {
					t.Fatal(err)
				}
				if _, err = Threads(t.Context(), "/proc", j.Process); !errors.Is(err, ErrNoAnswer) {
					t.Errorf("without its socket: %v", err)
				}
			}
			fmt.Fprintln(j.in, inHex("alive"))
			if line := j.line(t); !strings.HasSuffix(line, inHex("alive")) {
				t.Errorf("it says %q: is that a thread dump?", line)
			}
		})
	}
	if _, err := Threads(t.Context(), "/proc", Process{PID: int32(os.Getpid())}); err == nil {
		t.Error("ourselves: asked")
	}
	start, err := proc{"/proc", int32(os.Getpid())}.startTime()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Threads(t.Context(), "/proc", Process{int32(os.Getpid()), start}); !errors.Is(err, ErrNoJVM) {
		t.Errorf("ourselves: %v", err)
	}
}

// TestThreadsDying ends the JVM while it is asked.
func TestThreadsDying(t *testing.T) {
	home, classes := jdks(t)[0], compiled(t)
	for _, after := range []time.Duration{0, 2 * time.Millisecond, 10 * time.Millisecond} {
		j := startNames(t, home, classes, []string{"one", "two"}, nil)
		time.AfterFunc(after, func() { unix.Kill(int(j.PID), unix.SIGKILL) })
		for range 50 {
			_, err := Threads(t.Context(), "/proc", j.Process)
			if errors.Is(err, ErrGone) {
				break
			}
			if err != nil {
				t.Logf("after %v: %v", after, err)
			}
			time.Sleep(time.Millisecond)
		}
		if _, err := Threads(t.Context(), "/proc", j.Process); !errors.Is(err, ErrGone) {
			t.Errorf("after %v: %v", after, err)
		}
		if left := glob(fmt.Sprintf("/tmp/.attach_pid%d", j.PID)); left != nil {
			t.Errorf("left behind: %v", left)
		}
	}
}
