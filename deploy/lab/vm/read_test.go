package vm

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	const m = "\x1e"
	for _, c := range []struct {
		name, in string
		want     []Output
		err      string
	}{
		{"two commands", m + "begin 0\na\nb\n\n" + m + "end 0 0\n" + m + "begin 1\nx\n" + m + "end 1 3\n" + m + "off\n",
			[]Output{{"a\nb\n", 0}, {"x", 3}}, ""},
		{"cut short", m + "begin 0\na\n\n" + m + "end 0 0\n" + m + "begin 1\nhalf", []Output{{"a\n", 0}, {"half", -1}}, errCutShort.Error()},
		{"no disk", "\n" + m + "fail no disk\n", nil, "no disk"},
		{"nothing", "", nil, errCutShort.Error()},
		{"a command is missing", m + "begin 1\n\n" + m + "end 1 0\n" + m + "off\n", []Output{{"", 0}}, "frame"},
	} {
		var r Result
		err := r.read(strings.NewReader(c.in), io.Discard)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", c.name, err, c.err)
		}
		if !slices.Equal(r.Outputs, c.want) {
			t.Errorf("%s: %+v", c.name, r.Outputs)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestReadTellsOfEcho(t *testing.T) {
	var r Result
	if err := r.read(strings.NewReader("\x1ebegin 0\na\n\n\x1eend 0 0\n\x1eoff\n"), full{}); err == nil {
		t.Error("what could not be handed on is lost in silence")
	}
}
