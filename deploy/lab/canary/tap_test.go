package canary

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// tap keeps what goes over a client's connections, in the clear.
type tap struct {
	mu    sync.Mutex
	conns []*tapped
	most  int // bytes of a write; 0: any
}

// cut has what is sent go out in pieces of at most n bytes.
func (t *tap) cut(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.most = n
}

// tapped is one connection, and what went each way.
type tapped struct {
	net.Conn
	tap     *tap
	out, in bytes.Buffer
}

func (t *tap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	x := &tapped{Conn: c, tap: t}
	t.conns = append(t.conns, x)
	return x, nil
}

func (c *tapped) Write(b []byte) (int, error) {
	c.tap.mu.Lock()
	c.out.Write(b)
	most := c.tap.most
	c.tap.mu.Unlock()
	if most == 0 {
		return c.Conn.Write(b)
	}
	for n := 0; n < len(b); {
		m, err := c.Conn.Write(b[n:min(n+1+rand.IntN(most), len(b))])
		if n += m; err != nil {
			return n, err
		}
	}
	return len(b), nil
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tap.mu.Lock()
	c.in.Write(b[:n])
	c.tap.mu.Unlock()
	return n, err
}

// talked is a request and its response, without headers; nil: none came.
type talked struct {
	key, version int16
	request      []byte
	response     []byte
}

// heard are the requests of all connections, once the client is closed.
func (t *tap) heard() (all []talked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		answers := map[uint32][]byte{}
		for _, f := range frames(c.in.Bytes()) {
			answers[binary.BigEndian.Uint32(f)] = f[4:]
		}
		for _, f := range frames(c.out.Bytes()) {
			x := talked{key: int16(binary.BigEndian.Uint16(f)), version: int16(binary.BigEndian.Uint16(f[2:]))}
			n := max(int(int16(binary.BigEndian.Uint16(f[8:]))), 0)
			x.request, x.response = f[10+n:], answers[binary.BigEndian.Uint32(f[4:])]
			if r := kmsg.RequestForKey(x.key); r != nil {
				if r.SetVersion(x.version); r.IsFlexible() {
					x.request = x.request[1:] // no tags
					if x.response != nil && x.key != apiVersionsKey {
						x.response = x.response[1:]
					}
				}
			}
			all = append(all, x)
		}
	}
	return all
}

const apiVersionsKey = 18 // its response has no tagged header

// frames splits a stream, up to the last whole one.
func frames(b []byte) (all [][]byte) {
	for len(b) >= 4 {
		n := int(binary.BigEndian.Uint32(b))
		if len(b)-4 < n {
			break
		}
		all = append(all, b[4:4+n])
		b = b[4+n:]
	}
	return all
}
