package jvm

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// thread is one of a dump that a test writes.
type thread struct {
	address uint64
	nid     int32
	name    string
}

// write is a dump as JDK 17 (hex) and 25 print it.
func write(hex bool, all ...thread) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "2026-11-23 15:00:00\nFull thread dump OpenJDK 64-Bit Server VM (x mixed mode):\n\nThreads class SMR info:\n")
	fmt.Fprintf(&b, "_java_thread_list=0x%016x, length=%d, elements={\n", 0x7f0011, len(all))
	for i, x := range all {
		end := ", "
		if i == len(all)-1 {
			end = "\n"
		} else if i%4 == 3 {
			end = ",\n"
		}
		fmt.Fprintf(&b, "0x%016x%s", x.address, end)
	}
	b.WriteString("}\n\n")
	for i, x := range all {
		if hex {
			fmt.Fprintf(&b, "\"%s\" #%d daemon prio=5 os_prio=0 cpu=0.10ms elapsed=1.00s tid=0x%016x nid=0x%x waiting on condition  [0x00007f]\n", x.name, i, x.address, x.nid)
		} else {
			fmt.Fprintf(&b, "\"%s\" #%d [%d] prio=5 os_prio=0 cpu=0.10ms elapsed=1.00s tid=0x%016x nid=%d runnable  [0x00007f]\n", x.name, i, x.nid, x.address, x.nid)
		}
		b.WriteString("   java.lang.Thread.State: WAITING (parking)\n\tat java.lang.Thread.sleep(java.base/Native Method)\n\t- locked <0x1> (a \"b\")\n\n")
	}
	b.WriteString("\"VM Thread\" os_prio=0 cpu=1.00ms elapsed=1.00s tid=0x0000000000000999 nid=0x99 runnable  \n\nJNI global refs: 1, weak refs: 0\n\n")
	return b.Bytes()
}

func TestParseDump(t *testing.T) {
	for _, hex := range []bool{true, false} {
		var all []thread
		for i, name := range evil(60) {
			all = append(all, thread{0x7f00_0000_1000 + uint64(i)*0x700, int32(1000 + i), name})
		}
		got, doubtful, err := parseDump(write(hex, all...))
		if err != nil || doubtful != 0 || len(got) != len(all) {
			t.Errorf("%d of %d threads, %d doubtful, %v", len(got), len(all), doubtful, err)
		}
		for _, x := range all {
			if want := JavaText([]byte(x.name)); got[x.nid] != want {
				t.Errorf("%d is %q, want %q", x.nid, got[x.nid], want)
			}
		}
	}
}

// TestParseForged: whose record is in another's name keeps none.
func TestParseForged(t *testing.T) {
	victim := thread{0x7f0000003000, 3, "victim"}
	own := thread{address: 0x7f0000002000, nid: 2}
	record := func(x thread, name string) string {
		return fmt.Sprintf("\n\n\"%s\" #1 prio=5 tid=0x%016x nid=0x%x runnable\n", name, x.address, x.nid)
	}
	for name, evil := range map[string]string{
		"the victim's":     "x" + record(victim, "forged"),
		"its own first":    strings.TrimPrefix(record(own, "me"), "\n\n\"") + record(victim, "forged") + "\n\n\"x",
		"other thread ids": fmt.Sprintf("x tid=0x%016x nid=0x4 ", victim.address),
	} {
		own.name = evil
		for _, order := range [][]thread{{{0x7f0000001000, 1, "first"}, own, victim, {0x7f0000004000, 4, "last"}},
			{{0x7f0000001000, 1, "first"}, victim, {0x7f0000004000, 4, "last"}, own}} {
			got, doubtful, err := parseDump(write(true, order...))
			if err != nil || doubtful == 0 || got[1] != "first" || got[4] != "last" {
				t.Errorf("%s: %q, %d doubtful, %v", name, got, doubtful, err)
			}
			if n, ok := got[3]; ok && n != "victim" {
				t.Errorf("%s: the victim is %q", name, n)
			}
		}
	}
}

func TestParseNoDump(t *testing.T) {
	whole := write(false, thread{0x7f01, 1, "one"}, thread{0x7f02, 2, "two"})
	for n := range len(whole) {
		got, doubtful, err := parseDump(whole[:n])
		for tid, name := range got {
			if name != map[int32]string{1: "one", 2: "two"}[tid] && n < len(whole)-200 {
				t.Fatalf("cut at %d: %d is %q", n, tid, name)
			}
		}
		if err == nil && len(got)+doubtful != 2 {
			t.Fatalf("cut at %d: %d and %d doubtful", n, len(got), doubtful)
		}
	}
	for _, s := range []string{"", "\n_java_thread_list=0x1, length=1, elements={\nx\n}\n", "\n_java_thread_list=0x1, length=1, elements={\n0x1"} {
		if got, _, err := parseDump([]byte(s)); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestJavaText(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a\xc0\x80b": "a\x00b", "\xed\xa0\xbe\xed\xb6\x80": "\U0001f980", "\xed\xa0\xbe": "\ufffd", "\xed\xa0\xbex": "\ufffdx",
		"\xff": "\ufffd", "\xe4\xb8": "\ufffd\ufffd", strings.Repeat("\u4e2d", 43): strings.Repeat("\u4e2d", 42),
	} {
		if got := JavaText([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestModified(t *testing.T) {
	for _, s := range []string{"", "plain", "\u4e2d\x00\U0001f980x\U0001f980", "\x00", "a\u00e4\u4e2d"} {
		if got := JavaText([]byte(modified(s))); got != s {
			t.Errorf("%q: %q", s, got)
		}
	}
}

// FuzzParseDump puts any name into a dump: it must be the name of its thread or
// none, and those of the others theirs or none.
func FuzzParseDump(f *testing.F) {
	for _, name := range evil(30) {
		f.Add(name, true)
		f.Add(name, false)
	}
	f.Add("x\n\n\"forged\" #1 prio=5 tid=0x00007f0000003000 nid=0x3 runnable\n", true)
	f.Fuzz(func(t *testing.T, name string, hex bool) {
		got, doubtful, err := parseDump(write(hex, thread{0x7f0000001000, 1, "first"}, thread{0x7f0000002000, 2, name}, thread{0x7f0000003000, 3, "last"}))
		if err != nil {
			t.Fatal(err)
		}
		for tid, got := range got {
			if want := map[int32]string{1: "first", 2: JavaText([]byte(name)), 3: "last"}[tid]; got != want {
				t.Errorf("%d is %q, want %q", tid, got, want)
			}
			if !utf8.ValidString(got) || len(got) > MaxThreadName {
				t.Errorf("%q", got)
			}
		}
		if len(got)+doubtful != 3 {
			t.Errorf("%d and %d doubtful", len(got), doubtful)
		}
	})
}

// FuzzParseDumpBytes: whatever the other side writes, what comes out is bounded
// by it.
func FuzzParseDumpBytes(f *testing.F) {
	f.Add(write(true, thread{0x7f01, 1, "one"}, thread{0x7f02, 2, "two"}))
	f.Add(write(false, thread{0x7f01, 1, "one"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _, err := parseDump(b)
		if err != nil && got != nil || len(got) > len(b)/20 {
			t.Errorf("%d names of %d bytes, %v", len(got), len(b), err)
		}
		for tid, name := range got {
			if tid <= 0 || !utf8.ValidString(name) || len(name) > MaxThreadName {
				t.Errorf("%d: %q", tid, name)
			}
		}
	})
}
