package vm_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/vm"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

var update = flag.Bool("update", false, "write the matrix into the README")

// column is one kernel of the matrix.
type column struct {
	kernel string
	locked bool
}

func (c column) String() string {
	if c.locked {
		return c.kernel + "-lockdown"
	}
	return c.kernel
}

// matrix is what attached in which guest.
type matrix struct {
	mu    sync.Mutex
	cells map[column][]plan.Attached
}

// take reads what a guest printed.
func (m *matrix) take(c column, text string) error {
	var all []plan.Attached
	for line := range strings.Lines(text) {
		_, rest, ok := strings.Cut(line, plan.AttachedLine+"{")
		if !ok {
			continue
		}
		var a plan.Attached
		if err := json.Unmarshal([]byte("{"+strings.TrimSpace(rest)), &a); err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		all = append(all, a)
	}
	if len(all) == 0 {
		return fmt.Errorf("no guest of %s said what attached", c.kernel)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells == nil {
		m.cells = map[column][]plan.Attached{}
	}
	m.cells[c] = all
	return nil
}

// table is the matrix in Markdown: a row a subject and state of lockdown, a
// column a kernel; in a cell all backends that see the subject, the first of
// which is taken.
func (m *matrix) table() string {
	var b strings.Builder
	head, rule := "| what is seen |", "|---|"
	for _, k := range vm.Kernels {
		head += " " + k.Name + " |"
		rule += "---|"
	}
	fmt.Fprintln(&b, head)
	fmt.Fprintln(&b, rule)
	for _, locked := range []bool{false, true} {
		for _, subject := range m.subjects() {
			row := "| " + subject
			if locked {
				row += ", locked down"
			}
			for _, k := range vm.Kernels {
				row += " | " + m.cell(column{k.Name, locked}, subject)
			}
			fmt.Fprintln(&b, row+" |")
		}
	}
	return b.String()
}

func (m *matrix) subjects() (all []string) {
	for _, k := range vm.Kernels {
		for _, locked := range []bool{false, true} {
			for _, a := range m.cells[column{k.Name, locked}] {
				if !slices.Contains(all, a.Subject) {
					all = append(all, a.Subject)
				}
			}
		}
	}
	return all
}

func (m *matrix) cell(c column, subject string) string {
	for _, a := range m.cells[c] {
		if a.Subject == subject && len(a.Works) > 0 {
			return strings.Join(a.Works, ", ")
		}
	}
	return "–"
}

// Where the README has the matrix.
const (
	matrixBegin = "<!-- matrix, written by make matrix -->\n"
	matrixEnd   = "<!-- end of matrix -->\n"
)

// compare wants the README's matrix to be the one that was found.
func (m *matrix) compare(t *testing.T) {
	t.Helper()
	if len(m.cells) < 2*len(vm.Kernels) {
		t.Logf("%d of %d guests ran to their end: there is no whole matrix", len(m.cells), 2*len(vm.Kernels))
		return
	}
	old, replace, err := repo.Section(matrixBegin, matrixEnd)
	if err != nil {
		t.Fatalf("%v; the matrix is\n%s", err, m.table())
	}
	if *update {
		if err := replace(m.table()); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != m.table() {
		t.Errorf("the README's matrix is not what was found (make matrix writes it):\n%s", m.table())
	}
}
