package wire

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxResponse bounds a response, in bytes.
const maxResponse = 16 << 20

// ErrNoAnswer says that a connection ended before a request's response came.
var ErrNoAnswer = errors.New("connection ended before the response")

// Answer is a response and when it had been read; Err, ErrNoAnswer or what
// decoding found, is why there is none.
type Answer struct {
	Response *kmsg.ProduceResponse
	At       time.Time
	Err      error
}

// Conn sends Produce requests, many in flight, from one goroutine. Answers are
// handed over on a goroutine of the connection's own.
type Conn struct {
	net    net.Conn
	format *kmsg.RequestFormatter
	buffer []byte // the request being encoded
	held   []byte // what is not written yet
	corked bool
	next   int32 // correlation id

	mu      sync.Mutex
	waiting []call // in order: a broker answers a connection in order
	ended   error
	done    chan struct{} // closed when nothing is read any more
	idle    *sync.Cond    // waiting became shorter
}

type call struct {
	id      int32
	version int16
	answer  func(Answer)
}

// Dial opens a connection.
func Dial(ctx context.Context, address, clientID string) (*Conn, error) {
	var d net.Dialer
	n, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c := &Conn{net: n, format: kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID)), done: make(chan struct{})}
	c.idle = sync.NewCond(&c.mu)
	go c.read()
	return c, nil
}

// Local is the client's end of the connection, as the broker sees it.
func (c *Conn) Local() string { return c.net.LocalAddr().String() }

// NextID is the correlation id that the next request will carry.
func (c *Conn) NextID() int32 { return c.next }

// Send writes a request. answer is called once, unless acks is 0: then never.
func (c *Conn) Send(r *kmsg.ProduceRequest, answer func(Answer)) error {
	id := c.next
	c.next++
	c.buffer = c.format.AppendRequest(c.buffer[:0], r, id)
	if r.Acks != 0 {
		c.mu.Lock()
		if err := c.ended; err != nil {
			c.mu.Unlock()
			answer(Answer{Err: err})
			return err
		}
		c.waiting = append(c.waiting, call{id, r.Version, answer})
		c.mu.Unlock()
	}
	c.held = append(c.held, c.buffer...)
	if c.corked {
		return nil
	}
	return c.flush()
}

func (c *Conn) flush() error {
	_, err := c.net.Write(c.held)
	c.held = c.held[:0]
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// Cork holds back what is sent until Uncork, which writes it at once.
func (c *Conn) Cork() { c.corked = true }

// Uncork writes what Cork held back.
func (c *Conn) Uncork() error {
	c.corked = false
	return c.flush()
}

// Await returns when at most so many requests are without an answer, or the
// connection has ended.
func (c *Conn) Await(inFlight int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.waiting) > inFlight {
		c.idle.Wait()
	}
}

// Ended is closed when the connection has ended.
func (c *Conn) Ended() <-chan struct{} { return c.done }

// CloseWrite says that no more requests come: the broker still reads those
// before it, then ends the connection.
func (c *Conn) CloseWrite() error { return c.net.(*net.TCPConn).CloseWrite() }

// Close ends the connection; what is in flight gets ErrNoAnswer.
func (c *Conn) Close() error {
	err := c.net.Close()
	<-c.done
	return err
}

func (c *Conn) read() {
	in := bufio.NewReader(c.net)
	var err error
	for err == nil {
		err = c.readOne(in)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		err = ErrNoAnswer
	} else {
		err = fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	c.mu.Lock()
	rest := c.waiting
	c.waiting, c.ended = nil, err
	c.idle.Broadcast()
	c.mu.Unlock()
	for _, w := range rest {
		w.answer(Answer{Err: err, At: time.Now()})
	}
	close(c.done)
}

func (c *Conn) readOne(in *bufio.Reader) error {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > maxResponse {
		return fmt.Errorf("response of %d bytes", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(in, body); err != nil {
		return err
	}
	at := time.Now()
	c.mu.Lock()
	if len(c.waiting) == 0 {
		c.mu.Unlock()
		return errors.New("response to no request")
	}
	w := c.waiting[0]
	c.mu.Unlock()
	if id := int32(binary.BigEndian.Uint32(body)); id != w.id {
		return fmt.Errorf("response %d, want %d", id, w.id)
	}
	resp, err := parse(w.version, body[4:])
	w.answer(Answer{resp, at, err})
	c.mu.Lock()
	c.waiting = c.waiting[1:]
	c.idle.Broadcast()
	c.mu.Unlock()
	return nil
}

// parse reads a response's body; from v9 on (flexible) its header ends with tags.
func parse(version int16, body []byte) (*kmsg.ProduceResponse, error) {
	resp := kmsg.NewPtrProduceResponse()
	resp.SetVersion(version)
	if resp.IsFlexible() {
		if len(body) == 0 || body[0] != 0 {
			return nil, errors.New("response header with tags")
		}
		body = body[1:]
	}
	if err := resp.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("response: %w", err)
	}
	return resp, nil
}
