package jvm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds an answer: a thread dump has 1 to 6 KB a thread.
const maxAnswer = 32 << 20

// attachVersion 2 (JDK 24) has a size before the request and options behind
// its name (AttachOperation::read_request).
const attachVersion = 2

// question is a request of the attach protocol.
type question struct {
	version int
	name    string
	args    []string
}

// bytes is the request: version, name and arguments, each with a NUL behind
// it. Of version 1 the arguments are always three.
func (q question) bytes() []byte {
	var body bytes.Buffer
	for _, s := range append([]string{q.name}, q.args...) {
		body.WriteString(s + "\x00")
	}
	head := strconv.Itoa(q.version) + "\x00"
	if q.version == 1 {
		for range 3 - len(q.args) {
			body.WriteByte(0)
		}
	} else {
		head += strconv.Itoa(body.Len()) + "\x00"
	}
	return append([]byte(head), body.Bytes()...)
}

// ask puts one question, for which each time a connection is made. took is from
// the question to the answer's first byte: whatever the JVM did for it lies in
// there, but for what it writes as it works.
func (d *door) ask(ctx context.Context, q question) (answer []byte, took time.Duration, err error) {
	conn, err := d.connect(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	start := time.Now()
	if _, err := conn.Write(q.bytes()); err != nil {
		return nil, 0, d.failed(q, err)
	}
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		return nil, 0, d.failed(q, err)
	}
	took = time.Since(start)
	rest, err := io.ReadAll(io.LimitReader(conn, maxAnswer+1))
	if err != nil {
		return nil, took, d.failed(q, err)
	}
	if len(rest) > maxAnswer {
		return nil, took, fmt.Errorf("%w: %s: more than %d bytes", ErrNoAnswer, q.name, maxAnswer)
	}
	answer, err = q.result(append(first[:], rest...))
	return answer, took, err
}

func (d *door) failed(q question, err error) error {
	if !Alive(d.p.root, d.process) {
		return ErrGone
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %s: not within the time", ErrNoAnswer, q.name)
	}
	return fmt.Errorf("%w: %s: %w", ErrNoAnswer, q.name, err) // it closes on who may not ask
}

// errRefused says that the JVM would not, or does not know the question.
var errRefused = errors.New("the JVM refuses")

// result is what follows the line with the return code, 0 if it was done.
func (q question) result(answer []byte) ([]byte, error) {
	code, rest, _ := bytes.Cut(answer, []byte("\n"))
	if string(code) != "0" {
		return nil, fmt.Errorf("%w: %s: code %q", errRefused, q.name, code[:min(len(code), 16)])
	}
	return rest, nil
}

// dump is a thread dump: one whose pause does not last until we have read it,
// where the JVM would otherwise write to the socket meanwhile (JDK 24 and
// later; until 23 it never did).
func (d *door) dump(ctx context.Context) ([]byte, time.Duration, error) {
	q := question{version: 1, name: "threaddump"}
	known, _, err := d.ask(ctx, question{version: 1, name: "getversion", args: []string{"options"}})
	switch {
	case errors.Is(err, errRefused): // it does not know that question: there is only version 1
	case err != nil:
		return nil, 0, err
	case buffers(string(known)):
		q = question{version: attachVersion, name: "threaddump streaming=0"}
	}
	return d.ask(ctx, q)
}

// buffers reads "2 streaming,…".
func buffers(version string) bool {
	number, options, _ := strings.Cut(strings.TrimSpace(version), " ")
	for o := range strings.SplitSeq(options, ",") {
		if number == strconv.Itoa(attachVersion) && strings.TrimSpace(o) == "streaming" {
			return true
		}
	}
	return false
}
