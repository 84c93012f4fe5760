package canary

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

const (
	// window is how many bytes of a mark are enough to be found: ten of sixty-two
	// letters are far more than all outputs hold.
	window = 10
	// perMark bounds the findings of one mark in one output.
	perMark = 3
	excerpt = 60 // bytes on either side of a finding
	keySize = 8
)

// Searcher finds marks. Fill it with Add, then search with Find, which may be
// called by many goroutines.
type Searcher struct {
	windows map[uint64][]sought // by their first eight bytes
	filter  [1 << 16]uint64     // a bit for each hash of those: most bytes are passed over by it
}

type sought struct {
	mark *Mark
	form string
	text []byte // of the window, in that form
}

// Finding is a mark in an output.
type Finding struct {
	Mark    Mark
	Form    string
	Offset  int
	Excerpt string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s, as %s at byte %d: %q", f.Mark, f.Form, f.Offset, f.Excerpt)
}

// NewSearcher looks for these marks.
func NewSearcher(marks ...Mark) *Searcher {
	s := &Searcher{windows: map[uint64][]sought{}}
	s.Add(marks...)
	return s
}

// Add looks for further marks.
func (s *Searcher) Add(marks ...Mark) {
	for _, m := range marks {
		if len(m.Bytes) < window {
			panic(fmt.Sprintf("the mark %q is too short to be found", m.Name))
		}
		lossy := !utf8.Valid(m.Bytes) // where only text is written
		for _, f := range forms {
			if f.ofText && lossy {
				continue
			}
			for i := range len(m.Bytes) - window + 1 {
				s.add(sought{&m, f.name, f.write(m.Bytes[i : i+window])})
			}
		}
	}
}

// add leaves out what another form writes the same.
func (s *Searcher) add(x sought) {
	key := binary.LittleEndian.Uint64(x.text)
	for _, known := range s.windows[key] {
		if known.mark == x.mark && bytes.Equal(known.text, x.text) {
			return
		}
	}
	s.windows[key] = append(s.windows[key], x)
	h := hash(key)
	s.filter[h>>6] |= 1 << (h & 63)
}

// hash of 22 bits.
func hash(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> 42 }

// Find returns what it finds of each mark in an output, up to perMark.
func (s *Searcher) Find(out []byte) (all []Finding) {
	found := map[*Mark]int{}
	ends := map[*Mark]int{} // of the last finding: the windows of one overlap
	for i := 0; i+keySize <= len(out); i++ {
		key := binary.LittleEndian.Uint64(out[i:])
		if h := hash(key); s.filter[h>>6]>>(h&63)&1 == 0 {
			continue
		}
		for _, x := range s.windows[key] {
			if !bytes.HasPrefix(out[i:], x.text) {
				continue
			}
			overlaps := ends[x.mark] > i
			ends[x.mark] = i + len(x.text)
			if overlaps || found[x.mark] >= perMark {
				continue
			}
			found[x.mark]++
			around := out[max(i-excerpt, 0):min(i+len(x.text)+excerpt, len(out))]
			all = append(all, Finding{*x.mark, x.form, i, string(around)})
		}
	}
	return all
}
