package bpf

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// markOfChild is the environment by which TestKilled's child knows that it is one.
const markOfChild = "TAILSPAN_TEST_MARK"

// killTries is how often the child is killed; the environment may say more.
const killTries = 5

// Whenever a process is killed, nothing of its probes is left in the kernel: no
// program, and so no attachment, which would hold one; no map; no event in
// tracefs. The child's are known by their name.
func TestKilled(t *testing.T) {
	needRoot(t)
	if testing.Short() {
		t.Skip("kills processes for a while")
	}
	tries, err := strconv.Atoi(os.Getenv("TAILSPAN_TEST_KILLS"))
	if err != nil {
		tries = killTries
	}
	mark := fmt.Sprintf("kill%d", os.Getpid())
	before := dynamicEvents(t)
	child := startChild(t, mark)
	begun := time.Now()
	if !child.open.Scan() {
		t.Skip("the child has no probes")
	}
	whole := time.Since(begun)
	t.Logf("a child needs %v to attach", whole)
	seen := 0
	for i := range tries {
		time.Sleep(rand.N(whole * 5 / 4))
		if marked(t, mark) > 0 {
			seen++
		}
		child.kill()
		for end := time.Now().Add(10 * time.Second); marked(t, mark) > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("try %d: %d programs and maps are left", i, marked(t, mark))
			}
		}
		child = startChild(t, mark)
	}
	child.kill()
	t.Logf("%d children killed, %d of them while something was loaded", tries, seen)
	if seen == 0 {
		t.Error("nothing was ever seen of a child")
	}
	for _, event := range dynamicEvents(t) {
		if strings.Contains(event, "ebpf") && !strings.Contains(strings.Join(before, "\n"), event) {
			t.Errorf("left: %s", event)
		}
	}
}

type child struct {
	cmd  *exec.Cmd
	open *bufio.Scanner
}

func startChild(t *testing.T, mark string) *child {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestChild$")
	cmd.Env = append(os.Environ(), markOfChild+"="+mark)
	out, err := cmd.StdoutPipe()
	if err := errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, bufio.NewScanner(out)}
	t.Cleanup(c.kill)
	return c
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// TestChild is what TestKilled kills.
func TestChild(t *testing.T) {
	mark := os.Getenv(markOfChild)
	if mark == "" {
		t.Skip("is run by TestKilled")
	}
	p, err := Open(Options{mark: mark})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, err = p.AttachSites(int32(os.Getpid()), os.Args[0], []USDTSite{ownSite(t), ownSite(t)})
	if err != nil && !errors.Is(err, ErrNotHere) {
		t.Fatal(err)
	}
	fmt.Println("open")
	time.Sleep(time.Hour)
}

// ownSite is an instruction of this very program, as if it were a probe's site.
func ownSite(t *testing.T) USDTSite {
	f, err := elf.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	arg := USDTArg{Reg: anyRegister(), Size: 8}
	return USDTSite{"monitor__contended__exit", fileOffset(t, f, f.Entry), []USDTArg{arg, arg}}
}

// marked counts the programs and maps of that name.
func marked(t *testing.T, mark string) (n int) {
	t.Helper()
	for id, err := ebpf.ProgramGetNextID(0); err == nil; id, err = ebpf.ProgramGetNextID(id) {
		prog, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // it has just gone
		}
		if info, err := prog.Info(); err == nil && info.Name == mark {
			n++
		}
		prog.Close()
	}
	for id, err := ebpf.MapGetNextID(0); err == nil; id, err = ebpf.MapGetNextID(id) {
		m, err := ebpf.NewMapFromID(id)
		if err != nil {
			continue
		}
		if info, err := m.Info(); err == nil && info.Name == mark {
			n++
		}
		m.Close()
	}
	return n
}

// dynamicEvents are the kprobes and uprobes that tracefs has: those outlive who
// made them.
func dynamicEvents(t *testing.T) (all []string) {
	for _, name := range []string{"kprobe_events", "uprobe_events"} {
		b, err := os.ReadFile(tracefsHome + "/" + name)
		if err == nil {
			all = append(all, strings.Split(string(b), "\n")...)
		}
	}
	return all
}
