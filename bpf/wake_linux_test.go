package bpf

import (
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWake(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectWake)
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
		drain(t, p) // the runtime wakes itself by an eventfd, too
		var tid int32
		onThread(func(id int32) {
			tid = id
			if _, err := unix.Write(c.fd, c.b); err != nil {
				t.Error(c.name, err)
			}
		})
		n := 0
		for _, s := range only(drain(t, p), KindWake) {
			if s.TID == tid {
				n++
			}
		}
		check(t, c.name, n, c.want)
	}
}
