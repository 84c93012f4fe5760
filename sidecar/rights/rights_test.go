package rights

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// asChild names what a child of this test binary does instead of testing.
const asChild = "RIGHTS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		giveUpAndTell()
	}
	os.Exit(m.Run())
}

// giveUpAndTell prints what every thread holds afterwards, one of which was
// locked to its goroutine before, and what a program that it executes holds.
func giveUpAndTell() {
	var wg sync.WaitGroup
	stay := make(chan struct{})
	locked := make(chan struct{})
	wg.Go(func() {
		_ = Without(0, func() error { close(locked); <-stay; return nil })
	})
	<-locked
	left, err := GiveUp(Of(unix.CAP_BPF, unix.CAP_SYS_PTRACE))
	fmt.Println("left", left, err)
	threads, _ := filepath.Glob("/proc/self/task/*/status")
	for _, name := range threads {
		tell("thread", name)
	}
	close(stay)
	wg.Wait()
	out, err := exec.Command("cat", "/proc/self/status").Output()
	if err != nil {
		fmt.Println(err)
	}
	tellText("executed", string(out))
	os.Exit(0)
}

func tell(who, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		return // it ended
	}
	tellText(who, string(b))
}

func tellText(who, status string) {
	for _, key := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"} {
		_, rest, _ := strings.Cut(status, key+":")
		line, _, _ := strings.Cut(rest, "\n")
		fmt.Println(who, key, strings.TrimLeft(strings.TrimSpace(line), "0"))
	}
}

// TestGiveUp: every thread has what was kept and nothing else, and what is
// executed has nothing, though it is root's.
func TestGiveUp(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to have something to give up")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), asChild+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	count := map[string]int{}
	for line := range strings.Lines(string(out)) {
		count[strings.TrimSpace(line)]++
	}
	const kept = "8000080000" // bits 39 and 19
	threads := count["thread CapEff "+kept]
	for line, want := range map[string]int{
		"left CAP_BPF, CAP_SYS_PTRACE <nil>": 1,
		"thread CapPrm " + kept:              threads, "thread CapInh": threads, "thread CapBnd": threads,
		"thread CapAmb": threads, "thread NoNewPrivs 1": threads,
		"executed CapEff": 1, "executed CapPrm": 1, "executed CapBnd": 1, "executed NoNewPrivs 1": 1,
	} {
		if count[line] != want || threads < 2 {
			t.Errorf("%q: %d times, want %d of %d threads", line, count[line], want, threads)
		}
		delete(count, line)
	}
	for line := range count {
		if strings.HasPrefix(line, "thread") && line != "thread CapEff "+kept {
			t.Errorf("also %q", line)
		}
	}
}

// TestWithout: what f does lacks the capability, what comes after has it.
func TestWithout(t *testing.T) {
	raw := Of(unix.CAP_NET_RAW)
	if held, err := Held(); err != nil || !held.Has(raw) {
		t.Skipf("CAP_NET_RAW is not held: %v", err)
	}
	open := func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, 0)
		if err == nil {
			err = unix.Close(fd)
		}
		return err
	}
	if err := Without(raw, open); !errors.Is(err, unix.EPERM) {
		t.Errorf("without: %v", err)
	}
	if err := open(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSet(t *testing.T) {
	admin := Of(unix.CAP_SYS_ADMIN)
	for text, ok := range map[string]bool{
		"none":                                Set(0).String() == "none",
		"CAP_BPF, CAP_NET_RAW, capability 40": Of(40, 13, 39).String() == "CAP_BPF, CAP_NET_RAW, capability 40",
		"admin for bpf":                       admin.Grants(Of(unix.CAP_BPF, unix.CAP_PERFMON)),
		"not for packets":                     !admin.Grants(Of(unix.CAP_BPF, unix.CAP_NET_RAW)),
		"kept is a part":                      Start.Has(Attach) && !Attach.Has(Of(unix.CAP_NET_RAW)),
	} {
		if !ok {
			t.Error(text)
		}
	}
}
