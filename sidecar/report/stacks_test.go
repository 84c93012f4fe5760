package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
)

func someStacks() []*assemble.StackRow {
	const slow = int64(120 * time.Millisecond)
	deep := []string{"io_schedule", "do_get_write_access", "ext4_dirty_inode", "vfs_write"}
	return []*assemble.StackRow{
		{Topic: "orders", Write: slow, Reason: "journal buffer under commit", Frames: deep, NS: 80_000_500},
		{Topic: "orders", Write: slow, Reason: "journal buffer under commit", Frames: deep, NS: 20_000_000},
		{Topic: "orders", Write: slow, Reason: "on CPU", NS: 12_345_678},
		{Topic: "payments", Write: slow, Reason: "journal buffer under commit", Frames: deep, NS: 5_000},
		{Topic: "orders", Write: slow, Reason: "run queue", NS: 999},
		{Topic: "orders", Write: int64(time.Millisecond), Reason: "too quick", NS: 700_000},
		{Topic: "evil;\n", Write: slow, Reason: "unknown", Frames: []string{"a;b", "c\nd 7"}, NS: 2_000},
	}
}

func printStacks(t *testing.T, format string, rows []*assemble.StackRow) string {
	t.Helper()
	var out bytes.Buffer
	p := New(&out, "stacks", format, 100*time.Millisecond)
	for _, r := range rows {
		p.Stack(r)
	}
	if err := p.Stacks(); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFoldedStacks(t *testing.T) {
	got := printStacks(t, "table", someStacks())
	want := `orders;journal buffer under commit;vfs_write;ext4_dirty_inode;do_get_write_access;io_schedule 100000
orders;on CPU 12345
payments;journal buffer under commit;vfs_write;ext4_dirty_inode;do_get_write_access;io_schedule 5
evil__;unknown;c_d 7;a_b 2
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	readFolded(t, got)
}

// readFolded reads as flamegraph.pl does: the number is behind the last space,
// frames stand between semicolons.
func readFolded(t *testing.T, text string) (total int) {
	t.Helper()
	line := regexp.MustCompile(`^(.*)\s+?(\d+(?:\.\d*)?)$`)
	for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		m := line.FindStringSubmatch(l)
		if m == nil || m[1] == "" || m[1][len(m[1])-1] == ' ' {
			t.Errorf("%q is no folded stack", l)
			continue
		}
		n, err := strconv.Atoi(m[2])
		if err != nil || n <= 0 || len(strings.Split(m[1], ";")) < 2 {
			t.Errorf("%q: %v", l, err)
		}
		total += n
	}
	return total
}

func TestStacksJSON(t *testing.T) {
	var all []stackRow
	for d := json.NewDecoder(strings.NewReader(printStacks(t, "jsonl", someStacks()))); d.More(); {
		var r stackRow
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if r.Stack == nil {
			t.Errorf("%+v: no list", r)
		}
		all = append(all, r)
	}
	if len(all) != 5 {
		t.Fatalf("%d rows: %+v", len(all), all)
	}
	want := stackRow{"orders", "journal buffer under commit", []string{"vfs_write", "ext4_dirty_inode", "do_get_write_access", "io_schedule"}, 2, 100_000_500}
	if fmt.Sprint(all[0]) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", all[0], want)
	}
}

// Beyond the bound, time is told of one more stack, and none is lost.
func TestStacksAreBounded(t *testing.T) {
	var rows []*assemble.StackRow
	const n = maxFolded + 500
	for i := range n {
		rows = append(rows, &assemble.StackRow{Topic: "orders", Write: int64(time.Second), Reason: "mutex", Frames: []string{fmt.Sprint("f", i)}, NS: 1000})
	}
	rows = append(rows, &assemble.StackRow{Topic: "orders", Write: int64(time.Second), Reason: "mutex", Frames: []string{strings.Repeat("x", maxLine)}, NS: 1000})
	got := printStacks(t, "table", rows)
	if total := readFolded(t, got); total != n+1 {
		t.Errorf("%d µs are told of %d", total, n+1)
	}
	if !strings.HasPrefix(got, "orders;mutex;other 501\n") {
		t.Errorf("begins with %.60q", got)
	}
}

// With any other --print, stacks are no concern.
func TestStacksNotWanted(t *testing.T) {
	var out bytes.Buffer
	p := New(&out, "writes", "table", 0)
	p.Stack(someStacks()[0])
	if err := p.Stacks(); err != nil || out.Len() != 0 || len(p.folded.sums) != 0 {
		t.Errorf("%v, %q, %d kept", err, out.String(), len(p.folded.sums))
	}
}
