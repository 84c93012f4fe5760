package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/rights"
)

func TestThreadNames(t *testing.T) {
	for name, c := range map[string]struct {
		uid  int
		held rights.Set
		err  error
		want string
	}{
		"our own":                  {1000, 0, nil, "whole"},
		"another's":                {65534, rights.Start, nil, "with CAP_SETUID, CAP_SETGID it could be asked"},
		"another's, may be asked":  {0, rights.Start | rights.Ask, nil, "whole"},
		"disabled":                 {0, rights.Ask, fmt.Errorf("a: %w", jvm.ErrNoAttach), "the JVM's attach mechanism is disabled"},
		"half of it does not help": {0, rights.Of(7), nil, "15 bytes"},
	} {
		o := &Options{uid: c.uid, held: &c.held, ask: func(jvm.Process) error { return c.err }}
		p := broker(o, &host{})
		p.LibJVM = "/libjvm.so"
		p.threadNames()
		if got := p.checks[0]; got.State != OK || !strings.Contains(got.Detail, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	p := broker(&Options{}, &host{})
	if p.threadNames(); len(p.checks) != 0 {
		t.Errorf("of no JVM: %+v", p.checks)
	}
}
