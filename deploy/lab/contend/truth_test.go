package contend

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// Three threads: 0 holds until 100 µs, 1 until 400, then 2 has it; 1 asked at 10,
// 2 at 20.
const written = "thread\t0\t70\t0\tzero\nhold\t0\t0\t1000\t2000\t100000\n" +
	"thread\t1\t71\t1\tone\nhold\t1\t0\t10000\t101000\t400000\n" +
	"thread\t2\t72\t1\ttwo\nhold\t2\t0\t20000\t402000\t500000\n"

func TestTruth(t *testing.T) {
	file := filepath.Join(t.TempDir(), "holds.tsv")
	if err := os.WriteFile(file, []byte(written), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := readLog(file)
	if err != nil {
		t.Fatal(err)
	}
	if l.Blocked() != 2 || l.Threads[2].Name != "two" {
		t.Errorf("%+v", l.Threads)
	}
	got, ok := l.Truth(72, 21000, 401000)
	if want := []Share{{0, 79000}, {1, 300000}}; !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("shares %v, want %v", got, want)
	}
	if main, ok := Main(got); !ok || main.Thread != 1 {
		t.Errorf("main holder %v", main)
	}
	if got, ok := l.Truth(71, 11000, 100500); !ok || len(got) != 1 || got[0].Thread != 0 {
		t.Errorf("shares %v", got)
	}
	for _, none := range [][3]int64{{73, 21000, 401000}, {72, 600000, 700000}, {70, 200000, 300000}} {
		if got, ok := l.Truth(int32(none[0]), none[1], none[2]); ok {
			t.Errorf("%v: shares %v of a wait that never was", none, got)
		}
	}
}
