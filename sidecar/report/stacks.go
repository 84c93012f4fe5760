package report

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tailspan/tailspan/sidecar/assemble"
)

// maxFolded bounds the distinct stacks that are summed up; the time of others is
// summed under their topic and reason with one frame, otherFrame.
const (
	maxFolded  = 1 << 14
	maxLine    = 1 << 14 // bytes; 64 frames of usual names have 2,000
	otherFrame = "other"
)

// folded sums up stacks by topic and reason. A key is a line of the folded
// format that flame-graph tools read, without its number: topic, reason and
// functions, outermost first, with semicolons between.
type folded struct {
	sums map[string]*sum
	key  []byte
}

type sum struct {
	key   string
	count uint64
	ns    int64
}

// Stack takes why a write was not done yet; the sums are printed by Stacks.
func (p *Printer) Stack(r *assemble.StackRow) {
	if p.wants("stacks", r.Write) {
		p.folded.add(r)
	}
}

func (f *folded) add(r *assemble.StackRow) {
	if f.sums == nil {
		f.sums = map[string]*sum{}
	}
	f.key = appendFrame(appendFrame(f.key[:0], r.Topic), r.Reason)
	root := len(f.key)
	for i := range r.Frames {
		f.key = appendFrame(f.key, r.Frames[len(r.Frames)-1-i])
	}
	s := f.sums[string(f.key)]
	if s == nil && (len(f.sums) >= maxFolded || len(f.key) > maxLine) {
		f.key = appendFrame(f.key[:min(root, maxLine)], otherFrame)
		s = f.sums[string(f.key)]
	}
	if s == nil {
		if len(f.sums) >= 2*maxFolded {
			return // that many topics and reasons
		}
		s = &sum{key: string(f.key)}
		f.sums[s.key] = s
	}
	s.count++
	s.ns += r.NS
}

// appendFrame adds a name; what would end it, or the line, is replaced.
func appendFrame(line []byte, name string) []byte {
	if len(line) > 0 {
		line = append(line, ';')
	}
	for _, c := range []byte(name) {
		if c < ' ' || c == ';' || c >= 0x7f {
			c = '_'
		}
		line = append(line, c)
	}
	return line
}

// Stacks prints the sums, the largest first: a line `topic;reason;outermost;…;
// innermost microseconds` each, or an object.
func (p *Printer) Stacks() error {
	all := make([]*sum, 0, len(p.folded.sums))
	for _, s := range p.folded.sums {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *sum) int { return cmp.Or(cmp.Compare(b.ns, a.ns), strings.Compare(a.key, b.key)) })
	for _, s := range all {
		if err := p.stack(s); err != nil {
			return err
		}
	}
	return nil
}

// stackRow is a sum in jsonl.
type stackRow struct {
	Topic  string   `json:"topic"`
	Reason string   `json:"reason"`
	Stack  []string `json:"stack"` // outermost first
	Count  uint64   `json:"count"`
	NS     int64    `json:"ns"`
}

func (p *Printer) stack(s *sum) error {
	if p.jsonl {
		names := strings.Split(s.key, ";")
		return p.json.Encode(stackRow{names[0], names[1], names[2:], s.count, s.ns})
	}
	const microsecond = 1000
	if s.ns < microsecond {
		return nil
	}
	line := append(bytes.Clone([]byte(s.key)), ' ')
	_, err := p.out.Write(append(strconv.AppendInt(line, s.ns/microsecond, 10), '\n'))
	return err
}
