package jvm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// maxThreads bounds the threads of one process.
const maxThreads = 1 << 16

// Dump is what a thread dump said of a JVM's threads.
type Dump struct {
	Names    map[int32]string // of Java threads, by thread id as root has them; at most 128 bytes of UTF-8
	Took     time.Duration    // from the question to the answer's first byte; the pause of the Java threads lies in there
	Bytes    int              // of the dump, of which nothing but names and ids is kept
	Doubtful int              // threads whose line in the dump is not surely theirs: they are left out
}

// Threads asks a HotSpot JVM (11 to 25 were tried) for its Java threads' names,
// by one thread dump over the attach socket: where there is none yet, the JVM
// makes it for a SIGQUIT, and keeps it, with a thread that serves it. Threads
// of the VM's own are not in it, the kernel knows their short names.
//
// It is asked as the JVM's own user, for which one OS thread takes that
// identity and ends. What a dump costs the JVM is a pause of all Java threads,
// in proportion to their number.
//
// Errors: ErrGone, ErrNoJVM, ErrNotHotSpot, ErrNoAttach, ErrNoAnswer,
// ErrOtherUser.
func Threads(ctx context.Context, root string, p Process) (Dump, error) {
	d, err := openDoor(root, p)
	if err != nil {
		return Dump{}, err
	}
	defer d.Close()
	text, took, err := d.dump(ctx)
	if err != nil {
		return Dump{}, err
	}
	named, doubtful, err := parseDump(text)
	if err != nil {
		return Dump{}, err
	}
	tasks, err := d.p.tasks(d.who.nested)
	if err != nil {
		return Dump{}, err
	}
	out := Dump{Names: make(map[int32]string, len(named)), Took: took, Bytes: len(text), Doubtful: doubtful}
	for tid, name := range named {
		if host, ok := tasks[tid]; ok { // else it has ended
			out.Names[host] = name
		}
	}
	if !Alive(root, p) {
		return Dump{}, ErrGone
	}
	return out, nil
}

// Askable says why Threads would not ask a JVM, without asking it; whether it
// is another user's is not looked at. The errors are those of Threads.
func Askable(root string, p Process) error {
	d, err := openDoor(root, p)
	if err != nil {
		return err
	}
	defer d.Close()
	if !d.who.catchesQuit && unix.Faccessat(int(d.tmp.Fd()), d.socket(), unix.F_OK, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return errNoSignal
	}
	return nil
}

// tasks are the process's threads: by the id that they have for themselves,
// that which they have for /proc.
func (p proc) tasks(nested bool) (map[int32]int32, error) {
	dir, err := os.Open(p.path("task"))
	if err != nil {
		return nil, gone(err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, gone(err)
	}
	if len(names) > maxThreads {
		return nil, fmt.Errorf("list threads: more than %d", maxThreads)
	}
	out := make(map[int32]int32, len(names))
	for _, name := range names {
		n, err := strconv.ParseInt(name, 10, 32)
		if err != nil {
			continue
		}
		own := int32(n)
		if nested {
			b, err := p.read(path.Join("task", name, "status"), maxStatus)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(gone(err), ErrGone) {
				continue
			}
			if err != nil {
				return nil, err
			}
			who, err := parseStatus(string(b), own)
			if err != nil {
				return nil, err
			}
			own = who.nspid
		}
		out[own] = int32(n)
	}
	return out, nil
}
