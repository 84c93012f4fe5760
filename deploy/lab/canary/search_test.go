package canary

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"unicode/utf8"
)

// TestEachForm: a mark is found in every form, whole and cut short, amid other
// bytes, and by its own name.
func TestEachForm(t *testing.T) {
	for _, m := range []Mark{New("letters"), NewSpecial("specials"), NewBinary("binary"), Of(bytesOf(t, 40), "a digest")} {
		s := NewSearcher(New("another"), m, New("one more"))
		for _, f := range forms {
			if f.ofText && !utf8.Valid(m.Bytes) {
				continue
			}
			written := f.write(m.Bytes)
			for _, part := range [][]byte{written, written[:len(written)*2/3], written[len(written)/3:]} {
				out := bytes.Join([][]byte{bytesOf(t, 1001), part, bytesOf(t, 999)}, nil)
				found := s.Find(out)
				// The bytes before may happen to continue what was cut off.
				if len(found) == 0 || found[0].Mark.Name != m.Name || found[0].Offset <= 1001-window || found[0].Offset > 1001+len(part) {
					t.Errorf("%s as %s, %d bytes of %d: found %v", m, f.name, len(part), len(written), found)
				}
			}
		}
	}
}

// TestOthersForms: what others make of a mark is found, too.
func TestOthersForms(t *testing.T) {
	m, special := New("letters"), NewSpecial("specials")
	s := NewSearcher(m, special)
	for name, out := range map[string]string{
		"%x": fmt.Sprintf("%x", m.Bytes), "%X": fmt.Sprintf("%X", special.Bytes), "% x": fmt.Sprintf("% x", special.Bytes),
		"%q": fmt.Sprintf("%q", special.Text()), "%v": fmt.Sprintf("%v", special.Bytes), "%+q": fmt.Sprintf("%+q", special.Text()),
		"json": inJSON(t, map[string]string{"k": "before " + special.Text()}), "json of bytes": inJSON(t, append([]byte("x"), special.Bytes...)),
		"url": "http://h/?q=" + url.QueryEscape("a b"+special.Text()), "base64": base64.RawURLEncoding.EncodeToString([]byte("ab" + m.Text() + "c")),
		"cut": m.Text()[:window], "the end": m.Text()[len(m.Text())-window:],
	} {
		if found := s.Find([]byte(out)); len(found) == 0 {
			t.Errorf("%s: not found in %q", name, out)
		}
	}
}

// TestNothingElse: random bytes and texts of all kinds hold no mark, nor do less
// than the window of one.
func TestNothingElse(t *testing.T) {
	marks := []Mark{Of(bytesOf(t, 4000), "a batch")}
	for i := range 100 {
		marks = append(marks, New("letters %d", i), NewSpecial("specials %d", i), NewBinary("binary %d", i))
	}
	s := NewSearcher(marks...)
	noise := bytesOf(t, 1<<16)
	for _, f := range forms {
		if found := s.Find(f.write(noise)); len(found) > 0 {
			t.Errorf("noise as %s: %d found, the first %v", f.name, len(found), found[0])
		}
	}
	if found := s.Find(marks[1].Bytes[:window-1]); len(found) > 0 {
		t.Errorf("found %v in less than a window", found)
	}
	if found := s.Find(make([]byte, 1<<20)); len(found) > 0 {
		t.Errorf("found %v in zeroes", found)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	m := New("letters")
	found := NewSearcher(m).Find(bytes.Repeat(append(m.Bytes, ' '), 1000))
	if len(found) != perMark || found[0].Offset != 0 || found[1].Offset != markLength+1 {
		t.Errorf("%v", found)
	}
}

func bytesOf(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func BenchmarkFind(b *testing.B) {
	var marks []Mark
	for i := range 200 {
		marks = append(marks, New("letters %d", i))
	}
	s := NewSearcher(marks...)
	out := make([]byte, 1<<20)
	_, _ = rand.Read(out)
	b.SetBytes(int64(len(out)))
	for b.Loop() {
		s.Find(out)
	}
}
