package vm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// maxOutput bounds what is kept of a guest's output.
const maxOutput = 64 << 20

var errCutShort = errors.New("it went silent before its plan was done")

// read takes what a guest says on its serial line, until that ends, and hands on
// what its commands print.
func (r *Result) read(in io.Reader, echo io.Writer) error {
	var text strings.Builder
	var failed error
	off, within := false, false // the plan was done; a command is under way
	lines := bufio.NewReader(io.LimitReader(in, maxOutput))
	for {
		line, err := lines.ReadString('\n')
		if frame, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), plan.Mark); ok {
			switch word, rest, _ := strings.Cut(frame, " "); word {
			case "begin":
				within = true
				text.Reset()
			case "end":
				var o Output
				var i int
				if _, err := fmt.Sscan(rest, &i, &o.Code); err != nil || i != len(r.Outputs) {
					failed = errors.Join(failed, fmt.Errorf("frame %q after %d commands", frame, len(r.Outputs)))
				}
				o.Text = strings.TrimSuffix(text.String(), "\n")
				r.Outputs = append(r.Outputs, o)
				within = false
			case "fail":
				failed = errors.Join(failed, errors.New(rest))
			case "off":
				off = true
			}
		} else if within {
			text.WriteString(line)
			if _, err := io.WriteString(echo, line); err != nil {
				failed = errors.Join(failed, err)
			}
		}
		if err != nil {
			break
		}
	}
	if within { // and did not end
		r.Outputs = append(r.Outputs, Output{Text: text.String(), Code: -1})
	}
	if failed == nil && !off {
		return errCutShort
	}
	return failed
}
