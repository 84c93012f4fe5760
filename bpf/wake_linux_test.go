package bpf

import (
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A wake-up is one by what is written to what, and a record only where the
// thread wrote a segment since its last one.
func TestWake(t *testing.T) { eachRead(t, testWake, SubjectWrite, SubjectWake) }

func testWake(t *testing.T, o Options) {
	p := open(t, o)
	f := createSegment(t, t.TempDir(), "orders-0", segment)
	event, err := unix.Eventfd(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(event)
	var pipe, pair [2]int
	if pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(unix.Pipe(pipe[:]), p.Trace(int32(os.Getpid()))); err != nil {
		t.Fatal(err)
	}
	for _, fd := range append(pipe[:], pair[:]...) {
		defer unix.Close(fd)
	}
	one := binary.NativeEndian.AppendUint64(nil, 1)
	for _, c := range []struct {
		name string
		fd   int
		b    []byte
		want int
	}{
		{"eventfd", event, one, 1},
		{"pipe, one byte", pipe[1], one[:1], 1},
		{"pipe, eight bytes", pipe[1], one, 0},
		{"socket", pair[0], one, 0},
	} {
		var tid int32
		onThread(func(id int32) {
			tid = id
			for _, w := range []struct {
				fd int
				b  []byte
			}{{c.fd, c.b}, {int(f.Fd()), batch(0, 100)}, {c.fd, c.b}, {c.fd, c.b}} {
				if _, err := unix.Write(w.fd, w.b); err != nil {
					t.Error(c.name, err)
				}
			}
		})
		var written int64
		wakes := 0
		for _, s := range drain(t, p) {
			switch {
			case s.TID != tid: // the runtime wakes itself by an eventfd, too
			case s.Kind == KindWrite:
				written = s.Time
			case s.Kind == KindWake && written == 0:
				t.Errorf("%s: a record of a thread that has done nothing", c.name)
			case s.Kind == KindWake:
				wakes++
			}
		}
		check(t, c.name, wakes, c.want)
	}
}
