package jvm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// HotSpot's attach mechanism: a socket .java_pidN in /tmp, which the JVM makes
// when it gets a SIGQUIT and finds a file .attach_pidN there or in its working
// directory; N is its pid as it sees itself. It answers root and its own user
// (attachListener_posix.cpp; before JDK 24 attachListener_linux.cpp).

var (
	// ErrNoAttach says that this JVM takes no questions: -XX:+DisableAttachMechanism.
	ErrNoAttach = errors.New("the JVM's attach mechanism is disabled")
	// ErrNoAnswer says that the JVM could not be asked, or did not answer.
	ErrNoAnswer = errors.New("the JVM does not answer")
)

var errNoSignal = fmt.Errorf("%w: it has no socket, and the signal for it would end it (-Xrs)", ErrNoAnswer)

const (
	tmpDir     = "/tmp"          // os::get_temp_directory of Linux
	knockWait  = 5 * time.Second // for the socket, after SIGQUIT; jattach and jcmd wait 6 and 10 s
	knockEach  = 5 * time.Millisecond
	answerWait = 10 * time.Second // for the whole answer
)

// door is where one JVM takes questions. The directories are held open: what
// they were opened with is lost to the thread that acts as the JVM's user.
type door struct {
	p        proc
	process  Process
	dir      *os.File // of the process in /proc
	tmp, cwd *os.File // O_PATH; cwd may be nil
	who      identity
}

// openDoor opens what is needed to ask a HotSpot JVM, and makes sure that it
// is one that may be asked. The caller closes it.
func openDoor(root string, pr Process) (d *door, err error) {
	d = &door{p: proc{root, pr.PID}, process: pr}
	defer func() {
		if !Alive(root, pr) { // what is open may be another's
			err = ErrGone
		}
		if err != nil {
			d.Close()
		}
	}()
	if d.dir, err = os.Open(d.p.path("")); err != nil {
		return d, gone(err)
	}
	if d.who, err = d.p.who(); err != nil {
		return d, err
	}
	disabled, err := d.p.attachDisabled()
	if err != nil {
		return d, fmt.Errorf("look whether it may be asked: %w", err)
	}
	if disabled {
		return d, ErrNoAttach
	}
	v := d.p.view()
	tmp, err := v.open(tmpDir)
	if err != nil {
		return d, fmt.Errorf("open its %s: %w", tmpDir, err)
	}
	if d.tmp, err = openPath(tmp); err != nil {
		return d, fmt.Errorf("open its %s: %w", tmpDir, err)
	}
	d.cwd, _ = openPath(d.p.path("cwd")) // it will do without
	return d, nil
}

func openPath(name string) (*os.File, error) {
	return os.OpenFile(name, unix.O_PATH|unix.O_DIRECTORY, 0)
}

func (d *door) Close() {
	for _, f := range []*os.File{d.dir, d.tmp, d.cwd} {
		if f != nil {
			f.Close()
		}
	}
}

// connect is a connection to the JVM; where it has no socket yet it is asked
// for one.
func (d *door) connect(ctx context.Context) (conn *os.File, err error) {
	err = d.who.user.do(func() (err error) {
		if conn, err = d.dial(); errors.Is(err, unix.ENOENT) {
			conn, err = d.knock(ctx)
		}
		return err
	})
	if err != nil && !Alive(d.p.root, d.process) {
		err = ErrGone
	}
	return conn, err
}

// dial connects to the socket, ENOENT without one. A socket that is not of the
// JVM's user, or that another process listens on, is not spoken to.
func (d *door) dial() (*os.File, error) {
	name := d.socket()
	var st unix.Stat_t
	if err := unix.Fstatat(int(d.tmp.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, fmt.Errorf("look for its socket: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK || st.Uid != d.who.user.uid {
		return nil, fmt.Errorf("%w: %s is no socket of uid %d", ErrNoAnswer, name, d.who.user.uid)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket: %w", err)
	}
	conn := os.NewFile(uintptr(fd), name)
	// By the open directory, for the path may be longer than an address.
	at := path.Join(d.p.root, "self/fd", strconv.Itoa(int(d.tmp.Fd())), name)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: at}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to its socket: %w", err)
	}
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || peer.Pid != d.process.PID {
		conn.Close()
		return nil, fmt.Errorf("%w: another process listens on %s", ErrNoAnswer, name)
	}
	return conn, nil
}

// socket is its name in the JVM's /tmp.
func (d *door) socket() string { return ".java_pid" + strconv.Itoa(int(d.who.nspid)) }

// knock has the JVM make its socket, and connects to it.
func (d *door) knock(ctx context.Context) (*os.File, error) {
	if !d.who.catchesQuit { // it would end it: -Xrs, or no JVM yet
		return nil, errNoSignal
	}
	remove, err := d.leaveFile()
	if err != nil {
		return nil, err
	}
	defer remove()
	// The directory in /proc stands for the process as a pidfd does: no other
	// one is hit, even if this one's pid was given away.
	if err := unix.PidfdSendSignal(int(d.dir.Fd()), unix.SIGQUIT, nil, 0); err != nil {
		return nil, fmt.Errorf("ask for its socket: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, knockWait)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: no socket: %w", ErrNoAnswer, context.Cause(ctx))
		case <-time.After(knockEach):
		}
		conn, err := d.dial()
		if !errors.Is(err, unix.ENOENT) {
			return conn, err
		}
		if !Alive(d.p.root, d.process) {
			return nil, ErrGone
		}
	}
}

// trusts says whether the JVM takes a file there for a request: one of its own user.
// For another's it would print all its threads.
func (d *door) trusts(dir *os.File, name string) bool {
	var st unix.Stat_t
	err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Uid == d.who.user.uid
}

// leaveFile makes .attach_pidN in /tmp, which is no disk of the broker's, or
// else in the working directory, and returns what removes it again.
func (d *door) leaveFile() (remove func(), err error) {
	name := ".attach_pid" + strconv.Itoa(int(d.who.nspid))
	for _, dir := range []*os.File{d.tmp, d.cwd} {
		if dir == nil {
			continue
		}
		fd, e := unix.Openat(int(dir.Fd()), name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		if e == nil {
			unix.Close(fd)
		}
		if e == nil || errors.Is(e, unix.EEXIST) && d.trusts(dir, name) { // of somebody who was killed
			return func() { _ = unix.Unlinkat(int(dir.Fd()), name, 0) }, nil
		}
		err = errors.Join(err, e)
	}
	return nil, fmt.Errorf("leave %s: %w", name, err)
}
