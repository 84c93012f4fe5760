package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/rights"
	"github.com/tailspan/tailspan/spans"
)

// TestMachine looks at a real libjvm, whole and stripped, of a JVM whose flag is on
// or off.
func TestMachine(t *testing.T) {
	found, _ := filepath.Glob("/usr/lib/jvm/*/lib/server/libjvm.so")
	if len(found) == 0 {
		t.Skip("no JDK below /usr/lib/jvm")
	}
	whole := found[0]
	stripped := filepath.Join(t.TempDir(), "libjvm.so")
	// The notes are not needed to run it, but nobody who strips it takes them out.
	if out, err := exec.Command("strip", "--keep-section=.note.stapsdt", "-o", stripped, whole).CombinedOutput(); err != nil {
		t.Skipf("strip: %v: %s", err, out)
	}
	for name, c := range map[string]struct {
		libjvm string
		on     bool
		checks map[string]State
		wait   State
		says   string
	}{
		"on": {whole, true, map[string]State{"monitor flag": OK}, OK, "by uprobe: hotspot's probes"},
		"off": {whole, false, map[string]State{"monitor flag": Degraded, "monitor functions": OK}, Degraded,
			"by uprobe: functions of libjvm.so, without the lock's class: the JVM's flag DTraceMonitorProbes is off"},
		"off, stripped": {stripped, false, map[string]State{"monitor flag": Degraded, "monitor functions": Missing}, Missing,
			"the JVM's flag DTraceMonitorProbes is off"},
		"no library": {os.DevNull, false, map[string]State{"jvm probes": Missing, "monitor probes": Missing, "monitor functions": Missing}, Missing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := allSubjects()
			k.set(bpf.Subject{Name: bpf.SubjectMonitor, Backend: "uprobe"})
			k.set(bpf.Subject{Name: bpf.SubjectLife, Backend: "uprobe"})
			h := &host{subjects: map[string]bpf.Subject{}, kernel: k}
			for _, s := range k.subjects {
				h.subjects[s.Name] = s
			}
			p := broker(&Options{held: of(rights.Start), flag: func(int32) (bool, error) { return c.on, nil },
				canSwitch: func(jvm.Process) error { return nil }}, h)
			p.life, p.monitors, p.LibJVM = sight{}, sight{}, c.libjvm
			p.machine()
			want := map[string]State{"jvm": OK, "jvm probes": OK, "monitor probes": OK}
			for name, s := range c.checks {
				want[name] = s
			}
			for _, got := range p.checks {
				if got.State != want[got.Name] {
					t.Errorf("%+v, want %q", got, want[got.Name])
				}
				delete(want, got.Name)
			}
			if len(want) > 0 {
				t.Errorf("not said: %v", want)
			}
			got := p.monitorWait()
			if got.State != c.wait || !strings.Contains(got.Detail, c.says) || got.Name != spans.NameMonitorWait || (got.Fix != "") != (c.wait != OK) {
				t.Errorf("%+v", got)
			}
		})
	}
}
