package jvm

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestMonitorFunctions compares with what binutils disassemble of all
// of ObjectMonitor's functions: each call, and the next branch after it.
func TestMonitorFunctions(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("reads amd64's notation only")
	}
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("objdump is not installed")
	}
	for _, home := range jdks(t) {
		t.Run(filepath.Base(home), func(t *testing.T) {
			lib := libjvmOf(home)
			sites, err := MonitorFunctions(lib)
			if err != nil {
				t.Fatal(err)
			}
			f, err := elf.Open(lib)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			symbols, err := functionSymbols(f)
			if err != nil {
				t.Fatal(err)
			}
			from, to := ^uint64(0), uint64(0)
			for _, s := range symbols {
				if !strings.HasSuffix(s.Name, ".cold") {
					from, to = min(from, s.Value), max(to, s.Value+s.Size)
				}
			}
			cmd := exec.Command(objdump, "-d", "--no-show-raw-insn", fmt.Sprintf("--start-address=%#x", from), fmt.Sprintf("--stop-address=%#x", to), lib)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			want := disassembled(f, out)
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			got := map[string][]uint64{}
			for _, s := range sites {
				got[s.Name] = append(got[s.Name], s.FileOffset)
			}
			for name := range want {
				if len(want[name]) == 0 || !slices.Equal(got[name], want[name]) {
					t.Errorf("%s: %#x, objdump says %#x", name, got[name], want[name])
				}
			}
			enter, after := got[monitorEnter], got[monitorEntered]
			if len(enter) != 1 || len(after) != 1 || len(got[monitorExit]) != 1 {
				t.Fatalf("%#x", got)
			}
			t.Logf("the branch is at +%d", after[0]-enter[0])
			for name, opcodes := range map[string]string{monitorEnter: "\xe8", monitorExit: "\x55", monitorEntered: "\x74\x75\x0f"} {
				if b := byteAt(t, lib, got[name][0]); strings.IndexByte(opcodes, b) < 0 {
					t.Errorf("%s: the kernel does not emulate %#x", name, b)
				}
			}
		})
	}
}

var (
	entryOf = regexp.MustCompile(`^([0-9a-f]+) <_ZN13ObjectMonitor(?:10ExitEpilog|11exit_epilog)E[^.]*>:`)
	callOf  = regexp.MustCompile(`^\s*([0-9a-f]+):\s+call\s+[0-9a-f]+ <_ZN13ObjectMonitor(?:6EnterI|14enter_internal)E[^.+]*>`)
	branch  = regexp.MustCompile(`^\s*([0-9a-f]+):\s+(?:j|call|ret|repz ret)`)
)

// disassembled finds the sites in what objdump prints.
func disassembled(f *elf.File, text io.Reader) map[string][]uint64 {
	all := map[string][]uint64{monitorEnter: nil, monitorEntered: nil, monitorExit: nil}
	add := func(name, hex string) {
		addr, _ := strconv.ParseUint(hex, 16, 64)
		at, _ := fileOffset(f, addr, elf.PF_X)
		all[name] = append(all[name], at)
	}
	called := false
	for lines := bufio.NewScanner(text); lines.Scan(); {
		line := lines.Text()
		if m := branch.FindStringSubmatch(line); m != nil && called {
			add(monitorEntered, m[1])
			called = false
		}
		if m := callOf.FindStringSubmatch(line); m != nil {
			add(monitorEnter, m[1])
			called = true
		}
		if m := entryOf.FindStringSubmatch(line); m != nil {
			add(monitorExit, m[1])
		}
	}
	return all
}

func TestNoMonitorFunctions(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := MonitorFunctions(self); !errors.Is(err, ErrNoFunctions) {
		t.Errorf("no JVM: %v", err)
	}
	if _, err := MonitorFunctions("doc.go"); err == nil || errors.Is(err, ErrNoFunctions) {
		t.Errorf("no ELF: %v", err)
	}
	stripped := filepath.Join(t.TempDir(), "libjvm.so")
	if out, err := exec.Command("strip", "-o", stripped, libjvmOf(jdks(t)[0])).CombinedOutput(); err != nil {
		t.Skipf("strip: %v: %s", err, out)
	}
	if _, err := MonitorFunctions(stripped); !errors.Is(err, ErrNoFunctions) {
		t.Errorf("without symbols: %v", err)
	}
}

func TestFunction(t *testing.T) {
	symbol := func(name string) elf.Symbol { return elf.Symbol{Name: name, Info: byte(elf.STT_FUNC), Size: 9} }
	const plain = "_ZN13ObjectMonitor6EnterIEP10JavaThread"
	for name, c := range map[string]struct {
		symbols []string
		found   string
	}{
		"alone":      {[]string{plain}, plain},
		"JDK 25":     {[]string{"_ZN13ObjectMonitor14enter_internalEP10JavaThread"}, "_ZN13ObjectMonitor14enter_internalEP10JavaThread"},
		"fails cold": {[]string{plain + ".cold", plain}, plain},
		"split":      {[]string{plain, plain + ".part.0"}, ""},
		"copied":     {[]string{plain + ".constprop.0"}, ""},
		"another":    {[]string{"_ZN13ObjectMonitor6EnterIXEP10JavaThread", "_ZN13ObjectMonitor5enterEP10JavaThread"}, ""},
	} {
		var all []elf.Symbol
		for _, s := range c.symbols {
			all = append(all, symbol(s))
		}
		got, err := function(all, enterSymbols)
		if got.Name != c.found || errors.Is(err, ErrNoFunctions) == (c.found != "") {
			t.Errorf("%s: %q, %v", name, got.Name, err)
		}
	}
}

func TestCallsIn(t *testing.T) {
	const addr, callee = 0x1000, 0x1105
	words := func(words ...uint32) string {
		var b []byte
		for _, w := range words {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		decode func([]byte, uint64) ([]instruction, error)
		code   string
		want   []call // nil: an error
	}{
		"a call":            {decodeX86, "\xe8\x00\x01\x00\x00\x31\xc0\x74\x00\xc3", []call{{0x1000, 0x1007}}},
		"another":           {decodeX86, "\xe8\x01\x01\x00\x00\xc3", []call{}},
		"a jump":            {decodeX86, "\xe9\x00\x01\x00\x00\xc3", []call{}},
		"its bytes":         {decodeX86, "\xb8\xe8\x00\x01\x00\xc3", []call{}},
		"after endbr64":     {decodeX86, endbr64 + "\xe8\xfc\x00\x00\x00\xff\xd0", []call{{0x1004, 0x1009}}},
		"does not return":   {decodeX86, "\xe8\x00\x01\x00\x00\x90", nil},
		"into the middle":   {decodeX86, "\x74\x01\xb8\xe8\x00\x01\x00\xc3", nil},
		"cut off":           {decodeX86, "\xc3\xe8\x00", nil},
		"arm, odd":          {decodeARM, "\xc0\x03\x5f", nil},
		"arm, no return":    {decodeARM, words(0x94000041, 0xaa0003e1), []call{}},
		"arm, a branch":     {decodeARM, words(0x14000041, 0xd65f03c0), []call{}},
		"arm, by registers": {decodeARM, words(0xd63f0000, 0xd61f0200, 0xd65f03c0), []call{}},
	} {
		code, err := c.decode([]byte(c.code), addr)
		var got []call
		if err == nil {
			got, err = callsIn(code, callee)
		}
		if !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%s: %#x, %v", name, got, err)
		}
	}
	code, _ := decodeARM([]byte(words(0xa9bf7bfd, 0x94000040, 0xaa0003e1, 0xb4000040, 0xd65f03c0)), addr)
	for i, moves := range []bool{false, true, false, true, true} {
		if code[i].moves != moves {
			t.Errorf("arm, word %d: %+v", i, code[i])
		}
	}
	if got, err := callsIn(code, 0x1104); err != nil || !slices.Equal(got, []call{{0x1004, 0x100c}}) {
		t.Errorf("arm: %#x, %v", got, err)
	}
}

func FuzzCallsIn(f *testing.F) {
	f.Add([]byte("\xe8\x00\x01\x00\x00\x31\xc0\x74\x00\xc3"))
	f.Add([]byte("\xff\xe0\xe9\x00\x10\x00\x00\xc3"))
	f.Fuzz(func(t *testing.T, code []byte) {
		for _, decode := range []func([]byte, uint64) ([]instruction, error){decodeX86, decodeARM} {
			all, err := decode(code, 0x1000)
			if err != nil && all != nil {
				t.Error("an error and a result")
			}
			last := uint64(0xfff)
			for _, x := range all {
				if x.at <= last || x.at >= 0x1000+uint64(len(code)) {
					t.Errorf("an instruction at %#x of %d bytes", x.at, len(code))
				}
				last = x.at
			}
			calls, _ := callsIn(all, 0x1105)
			for _, c := range calls {
				if c.after <= c.at || c.after > last {
					t.Errorf("%+v", c)
				}
			}
		}
	})
}
