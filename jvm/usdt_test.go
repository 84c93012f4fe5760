package jvm

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// jdks are the JDKs of this machine, and those below LAB_JDKS.
func jdks(t testing.TB) []string {
	t.Helper()
	var homes []string
	for _, pattern := range []string{"/usr/lib/jvm/*", os.Getenv("LAB_JDKS") + "/*"} {
		found, _ := filepath.Glob(pattern + "/lib/server/libjvm.so")
		for _, lib := range found {
			if real, err := filepath.EvalSymlinks(lib); err == nil && real == lib {
				homes = append(homes, filepath.Dir(filepath.Dir(filepath.Dir(lib))))
			}
		}
	}
	if len(homes) == 0 {
		t.Skip("no JDK below /usr/lib/jvm or LAB_JDKS")
	}
	return homes
}

func libjvmOf(home string) string { return filepath.Join(home, "lib/server/libjvm.so") }

// TestProbesAgainstReadelf compares every site of every provider with what
// binutils reads: name, place, number of arguments.
func TestProbesAgainstReadelf(t *testing.T) {
	readelf, err := exec.LookPath("readelf")
	if err != nil {
		t.Skip("readelf is not installed")
	}
	for _, home := range jdks(t) {
		t.Run(filepath.Base(home), func(t *testing.T) {
			out, _ := exec.Command(readelf, "-n", libjvmOf(home)).Output()
			sites := readelfSites(string(out))
			if len(sites["hotspot"]) < 20 || len(sites["hotspot_jni"]) < 100 {
				t.Fatalf("readelf finds only %d providers", len(sites))
			}
			for provider, want := range sites {
				compareSites(t, libjvmOf(home), provider, want)
			}
		})
	}
}

func compareSites(t *testing.T, lib, provider string, want []note) {
	t.Helper()
	got, err := Probes(lib, provider)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%s: %d sites, %v; readelf has %d", provider, len(got), err, len(want))
	}
	f, err := elf.Open(lib)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, w := range want {
		offset, _ := fileOffset(f, w.pc, elf.PF_X)
		if got[i].Name != w.name || got[i].FileOffset != offset || len(got[i].Args) != len(strings.Fields(w.args)) {
			t.Errorf("site %d: %+v, readelf has %+v", i, got[i], w)
		}
		for j, a := range got[i].Args {
			if !a.Known() {
				t.Errorf("%s: argument %d of %q is not understood", w.name, j, w.args)
			}
		}
	}
}

// readelfSites parses what readelf -n prints, by provider.
func readelfSites(text string) map[string][]note {
	sites := map[string][]note{}
	var n note
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		key, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		switch value = strings.TrimSpace(value); key {
		case "Provider":
			n = note{provider: value}
		case "Name":
			n.name = value
		case "Location":
			fmt.Sscanf(value, "0x%x", &n.pc)
		case "Arguments": // the last one of each
			n.args = value
			sites[n.provider] = append(sites[n.provider], n)
		}
	}
	return sites
}

func TestMonitorSites(t *testing.T) {
	for _, home := range jdks(t) {
		sites, err := MonitorSites(libjvmOf(home))
		if err != nil {
			t.Fatalf("%s: %v", home, err)
		}
		for _, s := range sites {
			// Java thread, monitor, class name, its length.
			if len(s.Args) != 4 || s.Args[1].Reg == "" || s.Args[1].Size != 8 || s.Semaphore != 0 {
				t.Errorf("%s: %+v", home, s)
			}
			if b := byteAt(t, libjvmOf(home), s.FileOffset); b != 0x90 && b != 0x1f {
				t.Errorf("%s: %s: no nop but %#x at %#x", home, s.Name, b, s.FileOffset)
			}
		}
	}
}

func byteAt(t *testing.T, path string, offset uint64) byte {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], int64(offset)); err != nil {
		t.Fatal(err)
	}
	return b[0]
}

func TestNoProbes(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Probes(self, "hotspot"); !errors.Is(err, ErrNoProbes) {
		t.Errorf("a binary without notes: %v", err)
	}
	if _, err := Probes(libjvmOf(jdks(t)[0]), "nobody"); !errors.Is(err, ErrNoProbes) {
		t.Errorf("another provider: %v", err)
	}
	if _, err := Probes("doc.go", "hotspot"); err == nil || errors.Is(err, ErrNoProbes) {
		t.Errorf("no ELF: %v", err)
	}
}

func TestParseArgs(t *testing.T) {
	five, minus, zero, big := int64(5), int64(-1), int64(0), int64(-1)
	for spec, want := range map[string][]Arg{
		"": nil,
		"-8@%rbx 8@%r13 8@%rdx -4@%eax": {
			{Reg: "rbx", Size: -8}, {Reg: "r13", Size: 8}, {Reg: "rdx", Size: 8}, {Reg: "rax", Size: -4}},
		"4@%r12d 2@%r8w 1@%r15b 1@%dil": {{Reg: "r12", Size: 4}, {Reg: "r8", Size: 2}, {Reg: "r15", Size: 1}, {Reg: "rdi", Size: 1}},
		"8@16(%rsp) 8@-208(%rbp) 8@(%r9)": {
			{Reg: "rsp", Size: 8, Deref: true, Displacement: 16}, {Reg: "rbp", Size: 8, Deref: true, Displacement: -208},
			{Reg: "r9", Size: 8, Deref: true}},
		"-4@$5 -4@$-1 8@$0xffffffffffffffff": {{Const: &five, Size: -4}, {Const: &minus, Size: -4}, {Const: &big, Size: 8}},
		"8@x19 -4@w0 8@[sp, 16] 8@[x29,-8] 8@[x0] 8@[x1, #32] -4@5 4@wzr": {
			{Reg: "x19", Size: 8}, {Reg: "x0", Size: -4}, {Reg: "sp", Size: 8, Deref: true, Displacement: 16},
			{Reg: "x29", Size: 8, Deref: true, Displacement: -8}, {Reg: "x0", Size: 8, Deref: true},
			{Reg: "x1", Size: 8, Deref: true, Displacement: 32}, {Const: &five, Size: -4}, {Const: &zero, Size: 4}},
		// What is not supported keeps its place.
		"8f@%xmm0 1@%ah 8@8+counter(%rip) 8@(%rax,%rcx,8) 8@[x1, x2] 3@%rax 8@%r16 8@x31 8@ %rbx 8@%rbx": {
			{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {Reg: "rbx", Size: 8}},
	} {
		if got := parseArgs(spec); !reflect.DeepEqual(got, want) {
			t.Errorf("parseArgs(%q) = %+v, want %+v", spec, got, want)
		}
	}
}

func makeNote(pc uint64, fields ...string) []byte {
	desc := make([]byte, 24)
	binary.LittleEndian.PutUint64(desc, pc)
	for _, f := range fields {
		desc = append(append(desc, f...), 0)
	}
	b := make([]byte, 12)
	binary.LittleEndian.PutUint32(b, 8)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(desc)))
	binary.LittleEndian.PutUint32(b[8:], noteStapsdt)
	b = append(append(b, "stapsdt\x00"...), desc...)
	return append(b, make([]byte, pad4(uint64(len(desc)))-uint64(len(desc)))...)
}

func TestParseNotes(t *testing.T) {
	whole := append(makeNote(1, "hotspot", "a", "8@%rax"), makeNote(2, "other", "b", "")...)
	got, err := parseNotes(whole, binary.LittleEndian)
	want := []note{{pc: 1, provider: "hotspot", name: "a", args: "8@%rax"}, {pc: 2, provider: "other", name: "b"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	first := len(makeNote(1, "hotspot", "a", "8@%rax"))
	for n := 1; n < len(whole); n++ {
		if _, err := parseNotes(whole[:n], binary.LittleEndian); (err == nil) != (n == first) {
			t.Errorf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
	if _, err := parseNotes(makeNote(1, "hotspot", "a"), binary.LittleEndian); err == nil {
		t.Error("a note without arguments was taken")
	}
}

func FuzzParseNotes(f *testing.F) {
	f.Add(makeNote(1, "hotspot", "a", "8@%rax"))
	f.Add([]byte{8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		notes, err := parseNotes(b, binary.LittleEndian)
		if err != nil && notes != nil {
			t.Error("an error and a result")
		}
		size := 0
		for _, n := range notes {
			size += 12 + 8 + 24 + len(n.provider) + len(n.name) + len(n.args) + 3
		}
		if size > len(b) {
			t.Errorf("%d bytes of notes out of %d", size, len(b))
		}
	})
}

func FuzzParseArgs(f *testing.F) {
	f.Add("-8@%rbx 8@16(%rsp) -4@$5 8@[sp, 16] 8@x19")
	f.Add("8@[ 8@%rax")
	f.Fuzz(func(t *testing.T, spec string) {
		args := parseArgs(spec)
		if len(args) > maxArgs || len(args) > len(spec) {
			t.Errorf("%d arguments", len(args))
		}
		for _, a := range args {
			if a.Known() != (a.Size != 0) || a.Reg != "" && a.Const != nil || a.Deref && a.Reg == "" {
				t.Errorf("%q: %+v", spec, a)
			}
			if a.Reg != "" && x86Register(a.Reg) != a.Reg && armRegister(a.Reg) != a.Reg {
				t.Errorf("%q: register %q", spec, a.Reg)
			}
		}
	})
}

func BenchmarkMonitorSites(b *testing.B) {
	lib := libjvmOf(jdks(b)[0])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := MonitorSites(lib); err != nil {
			b.Fatal(err)
		}
	}
}
