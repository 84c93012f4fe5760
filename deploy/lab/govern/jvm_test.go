package govern

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/probe"
)

func TestMain(m *testing.M) { trial.Main(m) }

// machine has f run on each JDK of this machine.
func machine(t *testing.T, f func(*testing.T, jdk.JDK)) {
	t.Helper()
	trial.NeedRoot(t)
	all, err := jdk.Machine()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Skip("no JDK below /usr/lib/jvm")
	}
	for _, j := range all {
		t.Run(fmt.Sprint(j.Release), func(t *testing.T) { f(t, j) })
	}
}

// subject is a JVM with the flag on, and what is known of its probe sites.
type subject struct {
	*contend.Program
	dir   string
	lib   string
	sites []bpf.USDTSite    // all
	waits []bpf.USDTSite    // those of monitors
	text  *os.File          // its memory
	at    map[uint64]uint64 // where each site is there, by its place in the file
}

// start starts one; whether it has come to harm is looked at in the end.
func start(t *testing.T, j jdk.JDK) *subject {
	t.Helper()
	j.Home = ownHome(t, j.Home)
	s := &subject{dir: trial.Output(t), lib: j.LibJVM(), at: map[uint64]uint64{}}
	for _, sites := range []func(string) ([]jvm.Probe, error){jvm.MonitorSites, jvm.LifeSites} {
		found, err := sites(s.lib)
		if err != nil {
			t.Skip(err)
		}
		s.sites = append(s.sites, probe.Sites(found)...)
		if s.waits == nil {
			s.waits = s.sites[:len(found):len(found)]
		}
	}
	var err error
	s.Program, err = contend.Start(t.Context(), contend.Config{Java: j.Java(), Dir: s.dir,
		JVM: []string{"-XX:+DTraceMonitorProbes", "-XX:ErrorFile=" + filepath.Join(s.dir, "hs_err.log")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Kill() })
	s.findText(t)
	return s
}

// ownHome is a JDK's home with a libjvm of its own: probes belong to a file, and
// whoever else attaches some to the JDK's would show up in every JVM's code.
func ownHome(t *testing.T, home string) string {
	t.Helper()
	own := t.TempDir()
	for _, dir := range []string{"bin", "lib/server"} {
		if err := os.MkdirAll(filepath.Join(own, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin/java", "lib/server/libjvm.so"} { // the home is where these are
		b, err := os.ReadFile(filepath.Join(home, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(own, name), b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"", "lib", "lib/server"} {
		entries, err := os.ReadDir(filepath.Join(home, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := filepath.Join(dir, e.Name())
			if err := os.Symlink(filepath.Join(home, name), filepath.Join(own, name)); err != nil && !errors.Is(err, fs.ErrExist) {
				t.Fatal(err)
			}
		}
	}
	return own
}

// findText finds the sites in the JVM's memory, by its mappings of the library.
func (s *subject) findText(t *testing.T) {
	t.Helper()
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to, offset uint64
		var mode string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s %x", &from, &to, &mode, &offset); n != 4 || !strings.HasSuffix(lines.Text(), s.lib) {
			continue
		}
		for _, site := range s.sites {
			if at := site.FileOffset; mode[2] == 'x' && offset <= at && at < offset+to-from {
				s.at[at] = from + at - offset
			}
		}
	}
	if len(s.at) != len(s.sites) {
		t.Fatalf("%d of %d sites are mapped", len(s.at), len(s.sites))
	}
	if s.text, err = os.Open(fmt.Sprintf("/proc/%d/mem", s.PID())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.text.Close() })
}

// trapped is at how many of the sites the JVM's code is not what the file says.
func (s *subject) trapped(t *testing.T, sites []bpf.USDTSite) (n int) {
	t.Helper()
	file, err := os.Open(s.lib)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const word = 4 // of arm64's code
	for _, site := range sites {
		var is, was [word]byte
		if _, err := s.text.ReadAt(is[:], int64(s.at[site.FileOffset])); err != nil {
			t.Fatal(err)
		}
		if _, err := file.ReadAt(was[:], int64(site.FileOffset)); err != nil {
			t.Fatal(err)
		}
		if is != was {
			n++
		}
	}
	return n
}

// unharmed ends the JVM in order.
func (s *subject) unharmed(t *testing.T) {
	t.Helper()
	if n := s.trapped(t, s.sites); n != 0 {
		t.Errorf("breakpoints are left at %d sites", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if errs, _ := filepath.Glob(filepath.Join(s.dir, "hs_err*")); len(errs) > 0 {
		t.Errorf("the JVM wrote %v", errs)
	}
}

// descriptors are what the files of this process are, without their numbers.
func descriptors(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			all = append(all, to)
		}
	}
	slices.Sort(all)
	return all
}
