package jfr

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRead: what is read without an error is JSON, all of its events are
// counted, and those handed over are sound.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(err, "no fixtures")
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(one("jdk.JavaMonitorEnter", some+`"eventThread": {"osThreadId": 1e3, "javaName": "\ud800\u0000"}, "address": -1.5`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var handed uint64
		st, err := Read(bytes.NewReader(b), func(e *Wait) error {
			handed++
			if e.Start < 0 || e.End < e.Start || !e.Thread.known() {
				t.Errorf("%+v", e)
			}
			for _, s := range []string{e.Class, e.Thread.Name, e.Owner.Name} {
				if len(s) > 3*maxText || !utf8.ValidString(s) {
					t.Errorf("%.80q of %d bytes", s, len(s))
				}
			}
			return nil
		})
		if err == nil && !json.Valid(b) {
			t.Error("read without an error, but no JSON")
		}
		if sum := handed + st.Others + st.NoThread + st.Broken; err == nil && sum != st.Events {
			t.Errorf("%d handed over, %+v", handed, st)
		}
	})
}

// FuzzValue: whatever JSON stands where nothing is expected is read over, and
// a string is what encoding/json makes of it.
func FuzzValue(f *testing.F) {
	for _, s := range []string{`null`, `-0.5e+10`, `[{"a": [], "b": {}}, true, false]`, `"\u00e9\ud83d\ude00\ud83dx\udc00\/\b"`, `"é"`, `[1,]`, `01`, "\"\t\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		depth := bytes.Count(b, []byte("[")) + bytes.Count(b, []byte("{"))
		text := `{"recording": {"events": [{"values": {"unknown": ` + string(b) + `}, "unknown": ` + string(b) + `}]}}`
		_, err := Read(strings.NewReader(text), func(*Wait) error { return nil })
		switch valid := json.Valid([]byte(text)); {
		case depth > maxDepth-8:
		case valid && err != nil, !valid && err == nil:
			t.Errorf("%q: valid JSON %v, but %v", b, valid, err)
		}
		var want string
		if len(b) > maxText || !utf8.Valid(b) || json.Unmarshal(b, &want) != nil || bytes.IndexByte(b, '"') < 0 {
			return
		}
		if s := newScanner(bytes.NewReader(b)); !s.isString() || string(s.text) != want {
			t.Errorf("%q: got %q, want %q: %v", b, s.text, want, s.err)
		}
	})
}
