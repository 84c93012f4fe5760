package jvm

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

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
