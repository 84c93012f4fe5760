package rights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/rights"
)

func TestMain(m *testing.M) {
	slowdisk.Main()
	trial.Main(m)
}

// Users that own nothing else.
const (
	brokerUID = 65501
	ourUID    = 65502
)

// stage is a broker of another user under load, and a binary that anybody may
// execute.
type stage struct {
	*scene.Scene
	trial.Session
	own string // a directory that anybody may write to
}

// set builds all of it where every user may come: root's cache shows up there.
func set(t *testing.T) *stage {
	t.Helper()
	trial.NeedRoot(t)
	s := trial.Begin(t)
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.MkdirTemp("", "rights-")
	if err != nil {
		t.Fatal(err)
	}
	bin, own, view := filepath.Join(open, "tailspan.bin"), filepath.Join(open, "own"), filepath.Join(open, "tailspan")
	err = errors.Join(os.Chmod(open, 0o755), copyFile(bin, s.Bin), os.Mkdir(own, 0o755), os.Chmod(own, 0o777),
		os.Mkdir(view, 0o755), unix.Mount(dir, view, "", unix.MS_BIND, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(unix.Unmount(view, 0), os.Remove(view), os.RemoveAll(open)); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("XDG_CACHE_HOME", open)
	s.Bin = bin
	c := scene.Story()
	c.UID, c.Load.PerSecond = brokerUID, 300
	c.Schedule.Every, c.Schedule.Hold, c.Schedule.Jitter = 2*stall, stall, 0
	x := &stage{s.Set(t, c), s, own}
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.underLoad(t)
	return x
}

const (
	patience = time.Minute // with producers that start on a busy machine
	flowing  = 64 << 10    // bytes: they all have begun
)

// underLoad waits until the segments grow.
func (s *stage) underLoad(t *testing.T) {
	t.Helper()
	size := func() (n int64) {
		files, _ := filepath.Glob(filepath.Join(s.LogDir, s.Topic+"-*", "*.log"))
		for _, f := range files {
			if st, err := os.Stat(f); err == nil {
				n += st.Size()
			}
		}
		return n
	}
	before := size()
	if err := s.Broker.Until(t.Context(), patience, func() bool { return size() > before+flowing }); err != nil {
		t.Fatal(err)
	}
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// as is the command line by which setpriv(1) runs one as a user with just these
// capabilities: root by the bounding set, others by the ambient one.
func as(uid int, held rights.Set, command ...string) []string {
	var list strings.Builder
	for _, c := range rights.All {
		if held.Has(rights.Of(c.Number)) {
			list.WriteString(",+" + strings.ToLower(strings.TrimPrefix(c.Name, "CAP_")))
		}
	}
	caps := strings.TrimPrefix(list.String(), ",")
	user := []string{"setpriv", fmt.Sprintf("--reuid=%d", uid), fmt.Sprintf("--regid=%d", uid), "--clear-groups"}
	if uid == 0 {
		user = append(user, "--inh-caps=-all", "--bounding-set=-all,"+caps)
	} else if caps != "" {
		user = append(user, "--inh-caps="+caps, "--ambient-caps="+caps)
	}
	return append(append(user, "--"), command...)
}

// give is setcap(8): VFS_CAP_REVISION_2, effective (linux/capability.h).
func give(t *testing.T, file string, held rights.Set) {
	t.Helper()
	var v [20]byte
	binary.LittleEndian.PutUint32(v[0:], 0x02000000|1)
	binary.LittleEndian.PutUint32(v[4:], uint32(held))
	binary.LittleEndian.PutUint32(v[12:], uint32(held>>32))
	if err := unix.Setxattr(file, "security.capability", v[:], 0); err != nil {
		t.Fatalf("give %s capabilities: %v", file, err)
	}
}
