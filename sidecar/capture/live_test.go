package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/sidecar/event"
)

// openLive opens a capture, or says why the test cannot run.
func openLive(t testing.TB, o LiveOptions) *Live {
	t.Helper()
	l, err := OpenLive(o)
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("live capture needs CAP_NET_RAW: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// now measures the clocks' distance, once.
func calibrated() *event.Clock {
	var best, offset int64 = 1 << 62, 0
	for range 20 {
		a := int64(monotonic())
		var u unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_REALTIME, &u)
		if b := int64(monotonic()); b-a < best {
			best, offset = b-a, u.Nano()-(a+b)/2
		}
	}
	c := new(event.Clock)
	c.Calibrate(event.Calibration{Offset: offset})
	return c
}

// answer is a broker that answers every produce request.
func answer(t *testing.T, ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for {
				var size [4]byte
				if _, err := io.ReadFull(conn, size[:]); err != nil {
					return
				}
				b := make([]byte, binary.BigEndian.Uint32(size[:]))
				if _, err := io.ReadFull(conn, b); err != nil {
					return
				}
				a := kmsg.NewPtrProduceResponse()
				a.SetVersion(int16(binary.BigEndian.Uint16(b[2:])))
				id := int32(binary.BigEndian.Uint32(b[4:]))
				if _, err := conn.Write(new(talk).response(a, id)); err != nil {
					return
				}
			}
		}()
	}
}

// produceOverTCP sends requests of up to 300 KB one after the other.
func produceOverTCP(t *testing.T, addr net.Addr, n int) {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range n {
		q := kmsg.NewPtrProduceRequest()
		q.SetVersion(9)
		q.Acks = 1
		topic, part := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
		topic.Topic = "live"
		part.Records = talkBatch(uint32(i), 1+i%7*4000, "id")
		topic.Partitions = append(topic.Partitions, part)
		q.Topics = append(q.Topics, topic)
		if _, err := conn.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("live")).AppendRequest(nil, q, int32(i))); err != nil {
			t.Fatal(err)
		}
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(size[:]))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLive(t *testing.T) {
	for _, network := range []struct{ name, addr string }{{"tcp4", "127.0.0.1:0"}, {"tcp6", "[::1]:0"}} {
		t.Run(network.name, func(t *testing.T) { testLive(t, network.name, network.addr) })
	}
}

func testLive(t *testing.T, network, addr string) {
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Skip(err)
	}
	defer ln.Close()
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	clock := calibrated()
	live := openLive(t, LiveOptions{Clock: clock})
	if err := live.SetPorts([]uint16{at.Port()}); err != nil {
		t.Fatal(err)
	}
	var requests, responses int
	var mark event.Time
	d := NewDecoder(Options{Clock: clock, Emit: func(e event.Event) {
		switch e := e.(type) {
		case *event.Request:
			requests++
			if e.PID != 7 || e.Broker != at || e.LastByte < mark {
				t.Errorf("%+v after %d", e, mark)
			}
		case *event.Response:
			responses++
		}
	}})
	d.SetListeners([]Listener{{netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()), 7}})
	go answer(t, ln)
	const n = 200
	sent := make(chan struct{})
	begin := monotonic()
	go func() { produceOverTCP(t, ln.Addr(), n); close(sent) }()
	deadline := time.After(10 * time.Second)
	var done event.Time
	for done == 0 || mark < done {
		if mark, err = live.Read(20*time.Millisecond, func(p Packet) {
			if at := clock.Mono(p.Unix); at < mark || at < begin {
				t.Errorf("a packet of %d after everything up to %d", at, mark)
			}
			d.Packet(p)
		}); err != nil {
			t.Fatal(err)
		}
		d.Tick(mark)
		select {
		case <-sent:
			if done == 0 {
				done = monotonic()
			}
		case <-deadline:
			t.Fatalf("no progress: %+v", live.Stats())
		default:
		}
	}
	s := d.Stats()
	// A busy machine makes TCP retransmit now and then; loopback's second view
	// of every packet would be hundreds.
	if requests != n || responses != n || s.Duplicates > n/10 || s.NotOurs+s.Gaps+s.OutOfOrder > 0 || s.Connections != 1 {
		t.Fatalf("%d requests, %d responses, %+v, %+v", requests, responses, s, live.Stats())
	}
	if ls := live.Stats(); ls.Packets == 0 || ls.Dropped > 0 || ls.Damaged > 0 {
		t.Fatalf("%+v", ls)
	}
	if lag := monotonic() - done; lag > event.Time(500*time.Millisecond) {
		t.Errorf("progress lags %v behind", time.Duration(lag))
	}
}

// With no ports nothing passes the filter.
func TestLiveWithoutPorts(t *testing.T) {
	live := openLive(t, LiveOptions{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go answer(t, ln)
	produceOverTCP(t, ln.Addr(), 3)
	for range 5 {
		if _, err := live.Read(20*time.Millisecond, func(Packet) { t.Error("a packet passed") }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilterTakesManyPorts(t *testing.T) {
	ports := make([]uint16, maxPorts)
	for i := range ports {
		ports[i] = uint16(20000 + i)
	}
	live := openLive(t, LiveOptions{Ports: ports})
	if err := live.SetPorts(make([]uint16, maxPorts+1)); err == nil {
		t.Fatal("too many ports were taken")
	}
}
