package topics

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// clocked is a table whose time stands still until it is told.
func clocked(t testing.TB) (*Table, *time.Time) {
	now := time.Now().Add(time.Hour) // every mtime is settled
	table := New(slog.New(slog.DiscardHandler))
	table.now = func() time.Time { return now }
	return table, &now
}

func id(n byte) (id [16]byte) {
	id[0], id[15] = 0xfe, n
	return id
}

func partition(t testing.TB, dir, name string, id [16]byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "version: 0\ntopic_id: " + FormatID(id)
	if err := os.WriteFile(filepath.Join(path, "partition.metadata"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, table *Table, pid int32, id [16]byte, want string) {
	t.Helper()
	name, ok := table.Name(pid, id)
	if name != want || ok != (want != "") {
		t.Errorf("Name(%d, %s) = %q, %v, want %q", pid, FormatID(id), name, ok, want)
	}
}

func TestScan(t *testing.T) {
	dir := t.TempDir()
	partition(t, dir, "orders-0", id(1))
	partition(t, dir, "orders-1", id(1))
	partition(t, dir, "a.b_c-d-12", id(2))
	for i, name := range []string{"gone-0.0123-delete", "moved-0.0123-future", "left-0.0123-stray", "odd-01", "odd-+1", "-0", "plain"} {
		partition(t, dir, name, id(byte(100+i)))
	}
	table, _ := clocked(t)
	table.AddLogDir(7, dir)
	expect(t, table, 7, id(1), "orders")
	expect(t, table, 7, id(2), "a.b_c-d")
	expect(t, table, 8, id(1), "")
	expect(t, table, 7, [16]byte{}, "")
	if s := table.Stats(); s.Known != 2 || s.Unresolved != 2 || s.Invalid != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	table, now := clocked(t)
	table.AddLogDir(7, dir)
	partition(t, dir, "later-0", id(1))
	expect(t, table, 7, id(1), "") // looked a moment ago
	*now = now.Add(minRescan)
	expect(t, table, 7, id(1), "later")

	// Deleted and made again under its name, with another id.
	if err := os.Rename(filepath.Join(dir, "later-0"), filepath.Join(dir, "later-0.ab-delete")); err != nil {
		t.Fatal(err)
	}
	partition(t, dir, "later-0", id(2))
	*now = now.Add(minRescan)
	expect(t, table, 7, id(2), "later")
	expect(t, table, 7, id(1), "later") // requests in flight may still name it
}

// The directory comes first, partition.metadata at the first append: the log
// dir itself does not change then.
func TestMetadataLate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "slow-0"), 0o755); err != nil {
		t.Fatal(err)
	}
	table, now := clocked(t)
	table.AddLogDir(7, dir)
	partition(t, dir, "slow-0", id(1))
	*now = now.Add(minRescan)
	expect(t, table, 7, id(1), "slow")
}

func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"version-0": "version: 9\ntopic_id: " + FormatID(id(1)),
		"short-0":   "version: 0\ntopic_id: AAAA",
		"empty-0":   "",
	} {
		partition(t, dir, name, id(1))
		if err := os.WriteFile(filepath.Join(dir, name, "partition.metadata"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	partition(t, dir, "link-0", id(1))
	link := filepath.Join(dir, "link-0", "partition.metadata")
	if err := os.Rename(link, link+".real"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("partition.metadata.real", link); err != nil {
		t.Fatal(err)
	}
	partition(t, dir, "good-0", id(2))
	table, now := clocked(t)
	table.AddLogDir(7, dir)
	expect(t, table, 7, id(2), "good")
	expect(t, table, 7, id(1), "")
	*now = now.Add(time.Second)
	expect(t, table, 7, id(1), "")
	if s := table.Stats(); s.Invalid != 4 {
		t.Errorf("%d invalid, want each of 4 once", s.Invalid)
	}
}

func TestMissingLogDir(t *testing.T) {
	table, now := clocked(t)
	dir := filepath.Join(t.TempDir(), "not-yet")
	table.AddLogDir(7, dir)
	if s := table.Stats(); s.Failed != 1 {
		t.Errorf("failed %d, want 1", s.Failed)
	}
	partition(t, dir, "orders-0", id(1))
	*now = now.Add(time.Minute)
	expect(t, table, 7, id(1), "orders")
}

func TestLearn(t *testing.T) {
	table, _ := clocked(t)
	table.Learn(7, id(1), "before")
	table.Learn(0, id(2), "anywhere")
	got := map[string]int{}
	table.OnLearn(func(pid int32, id [16]byte, name string) {
		got[fmt.Sprint(pid, " ", id[15], " ", name)]++
	})
	table.Learn(7, id(3), "after")
	table.Learn(7, id(3), "after")
	table.Learn(7, id(4), "not a name")
	table.Learn(7, [16]byte{}, "none")
	want := map[string]int{"7 1 before": 1, "0 2 anywhere": 1, "7 3 after": 1}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("heard %v, want %v", got, want)
	}
	expect(t, table, 7, id(2), "anywhere")
	expect(t, table, 8, id(1), "")
	table.Forget(7)
	expect(t, table, 7, id(1), "")
	expect(t, table, 7, id(2), "anywhere")
	if s := table.Stats(); s.Invalid != 2 || s.Known != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestBound(t *testing.T) {
	table, _ := clocked(t)
	for i := range maxFacts + 5 {
		table.Learn(1, [16]byte{1, byte(i), byte(i >> 8), byte(i >> 16)}, "t")
	}
	if s := table.Stats(); s.Known != maxFacts || s.Full != 5 {
		t.Errorf("stats %+v", s)
	}
}

func TestLoadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table, _ := clocked(t)
	for _, bad := range []string{`[]`, `{"x":"orders"}`, `{"` + FormatID(id(1)) + `":"a/b"}`, `{"` + FormatID(id(1)) + `":1}`} {
		write(bad)
		if err := table.LoadFile(path); err == nil {
			t.Errorf("LoadFile took %s", bad)
		}
	}
	write(`{"` + FormatID(id(1)) + `":"orders"}`)
	if err := table.LoadFile(path); err != nil {
		t.Fatal(err)
	}
	expect(t, table, 42, id(1), "orders")
	if err := table.LoadFile(path + ".none"); err == nil {
		t.Error("LoadFile took no file")
	}
}

func TestID(t *testing.T) {
	// Kafka's own: Uuid.METADATA_TOPIC_ID is 0, 1.
	got, err := ParseID("AAAAAAAAAAAAAAAAAAAAAQ")
	if want := ([16]byte{15: 1}); err != nil || got != want {
		t.Errorf("ParseID = %v, %v", got, err)
	}
	if s := FormatID([16]byte{0xfb, 0xff, 15: 1}); s != "-_8AAAAAAAAAAAAAAAAAAQ" {
		t.Errorf("FormatID = %s", s)
	}
	for _, bad := range []string{"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAQAA", "AAAAAAAAAAAAAAAAAAAA+Q"} {
		if _, err := ParseID(bad); err == nil {
			t.Errorf("ParseID took %q", bad)
		}
	}
}

// More topics than are found without a lock, of two brokers of which one ends.
func TestManyNames(t *testing.T) {
	table, _ := clocked(t)
	name := func(pid int32, i byte) string { return fmt.Sprintf("topic-%d-%d", pid, i) }
	for i := range byte(200) {
		table.Learn(7, id(i+1), name(7, i))
		table.Learn(8, id(i+1), name(8, i))
	}
	check := func(pid int32) {
		t.Helper()
		for i := range byte(200) {
			for range 2 {
				if got, _ := table.Name(pid, id(i+1)); got != name(pid, i) {
					t.Fatalf("%q, should be %q", got, name(pid, i))
				}
			}
		}
	}
	check(7)
	check(8)
	check(7)
	table.Forget(7)
	check(8)
	for i := range byte(200) {
		if got, ok := table.Name(7, id(i+1)); ok {
			t.Fatalf("%q is known after its broker has ended", got)
		}
	}
}

func TestNameAllocatesNothing(t *testing.T) {
	table, _ := clocked(t)
	table.Learn(7, id(1), "orders")
	if n := testing.AllocsPerRun(100, func() { table.Name(7, id(1)) }); n != 0 {
		t.Errorf("%v allocations a hit", n)
	}
}

func BenchmarkName(b *testing.B) {
	table, _ := clocked(b)
	table.Learn(7, id(1), "orders")
	b.ReportAllocs()
	for b.Loop() {
		table.Name(7, id(1))
	}
}

// BenchmarkRescan is what a miss costs where 2,000 partitions are known and
// the log dir has changed since.
func BenchmarkRescan(b *testing.B) {
	dir := b.TempDir()
	for i := range 2000 {
		partition(b, dir, fmt.Sprintf("orders-%d", i), id(1))
	}
	table, now := clocked(b)
	table.AddLogDir(7, dir)
	b.ReportAllocs()
	for b.Loop() {
		*now = now.Add(time.Hour)
		table.dirs[7].dirs[0].changed = time.Time{}
		table.Name(7, id(2))
	}
}

// Real directories, with the clock as it runs: a topic made, deleted and made
// again at once under its name, with another id in the same place.
func TestFollowRealClock(t *testing.T) {
	dir := t.TempDir()
	table := New(slog.New(slog.DiscardHandler))
	table.AddLogDir(7, dir)
	for n := byte(1); n <= 5; n++ {
		if err := os.RemoveAll(filepath.Join(dir, "again-0")); err != nil {
			t.Fatal(err)
		}
		if _, ok := table.Name(7, id(n)); ok {
			t.Fatalf("id %d is known before it exists", n)
		}
		partition(t, dir, "again-0", id(n))
		deadline := time.Now().Add(5 * time.Second)
		for ok := false; !ok; _, ok = table.Name(7, id(n)) {
			if time.Now().After(deadline) {
				t.Fatalf("id %d is not noticed", n)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	for n := byte(1); n <= 5; n++ {
		expect(t, table, 7, id(n), "again")
	}
	if s := table.Stats(); s.Known != 5 || s.Invalid+s.Failed+s.Conflicts > 0 {
		t.Errorf("stats %+v", s)
	}
}

// partition.metadata is put in another's place within one tick of the file
// system's clock: same directory, same inode, same mtime.
func TestReplacedWithinATick(t *testing.T) {
	dir := t.TempDir()
	partition(t, dir, "quick-0", id(1))
	path := filepath.Join(dir, "quick-0", "partition.metadata")
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	table := New(slog.New(slog.DiscardHandler))
	now := st.ModTime().Add(time.Millisecond)
	table.now = func() time.Time { return now }
	table.AddLogDir(7, dir)
	expect(t, table, 7, id(1), "quick")
	partition(t, dir, "quick-0", id(2)) // writes the same inode
	if err := os.Chtimes(path, st.ModTime(), st.ModTime()); err != nil {
		t.Fatal(err)
	}
	now = now.Add(minRescan + 10*time.Millisecond)
	expect(t, table, 7, id(2), "quick")
}

func TestConflict(t *testing.T) {
	table, _ := clocked(t)
	table.Learn(7, id(1), "first")
	table.Learn(7, id(1), "second")
	expect(t, table, 7, id(1), "first")
	if s := table.Stats(); s.Conflicts != 1 || s.Known != 1 {
		t.Errorf("stats %+v", s)
	}
}

// Known does not look at the log dirs.
func TestKnown(t *testing.T) {
	dir := t.TempDir()
	table, now := clocked(t)
	table.AddLogDir(7, dir)
	partition(t, dir, "later-0", id(1))
	*now = now.Add(time.Minute)
	scans := table.Stats().Scans
	if _, ok := table.Known(7, id(1)); ok || table.Stats().Scans != scans {
		t.Error("Known looked")
	}
	expect(t, table, 7, id(1), "later")
	if name, ok := table.Known(7, id(1)); !ok || name != "later" {
		t.Error("not known after Name")
	}
}
