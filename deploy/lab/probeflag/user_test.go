package probeflag

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

const jvmUID = 65503

func pid(p *contend.Program) string { return strconv.Itoa(p.PID()) }

// unread is how much lies in a pipe.
func unread(f *os.File) (int, error) { return unix.IoctlGetInt(int(f.Fd()), unix.TIOCINQ) }

// TestOtherUser: root has given up the right to open another user's memory for
// writing when it meets the JVM, and does it all the same with what it kept.
func TestOtherUser(t *testing.T) {
	trial.NeedRoot(t)
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip(err)
	}
	s := trial.Begin(t)
	dir := openDir(t)
	t.Setenv("XDG_CACHE_HOME", dir)
	for _, j := range machines(t) {
		t.Run(j.Origin, func(t *testing.T) {
			own := filepath.Join(dir, j.Origin)
			java := filepath.Join(own, "java")
			script := fmt.Sprintf("#!/bin/sh\nexec %s --reuid %d --regid %d --clear-groups %s \"$@\"\n", setpriv, jvmUID, jvmUID, j.Java())
			if err := os.MkdirAll(own, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(java, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			p, n := jvmUnder(t, java, own), notes(own+"/state")
			var rows atomic.Int64
			ts := n.watch(t, s.Bin, filepath.Join(s.Dir, j.Origin+".log"), p, counted(&rows), asked)
			wantFlag(t, p, true)
			n.want(t, 1)
			someRows(t, &rows, "of another user")
			trial.Stop(t, ts)
			wantFlag(t, p, false)
			n.want(t, 0)
			unharmed(t, p, own)
		})
	}
}
