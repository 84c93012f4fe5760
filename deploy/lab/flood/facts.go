package flood

import (
	"encoding/base64"
	"net/netip"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// begin is what a recording begins with: who the broker is, and the connections.
func (g *Generator) begin() {
	g.clock(beginMono)
	for _, t := range g.topics {
		g.w.Fact(recording.Fact{Topic: &recording.Topic{PID: brokerPID, ID: base64.RawURLEncoding.EncodeToString(t.id[:]), Name: t.name}})
	}
	g.w.Fact(recording.Fact{Broker: &recording.Broker{
		PID: brokerPID, Cluster: clusterID, Node: nodeID, Host: "flood", Listeners: []netip.AddrPort{brokerAddr},
		Devices: map[event.Device]string{device: "ext4"}, Disks: map[event.Device][]event.Device{device: {device}},
	}})
	names := map[int32]string{networkTID: "data-plane-kafka-network-thread-1-ListenerName(PLAINTEXT)-PLAINTEXT-0"}
	for tid := int32(handlerTID); tid < handlerTID+handlers; tid++ {
		names[tid] = handlerName(tid)
	}
	for _, tid := range g.threads {
		names[tid] = handlerName(tid)
	}
	g.w.Fact(recording.Fact{Threads: &recording.Threads{PID: brokerPID, Names: names}})
	g.w.Fact(recording.Fact{Symbols: symbols()})
	for i, k := range g.all {
		g.handshake(k, beginMono-int64(time.Second)+int64(i)*us)
	}
}

// handshake opens a connection.
func (g *Generator) handshake(k *conn, at int64) {
	b := packet(nil)
	k.toBroker(b)
	b[tcpFlags] = flagSYN
	g.packet(at, b)
	k.in++
	k.toClient(b)
	b[tcpFlags] = flagSYN | flagACK
	g.packet(at+us/2, b)
	k.out++
}

// clock is a measurement of the distance between the clocks: it is never the same.
func (g *Generator) clock(at int64) {
	jitter := at / int64(clockEach) % 7
	g.w.Fact(recording.Fact{Clock: &event.Calibration{Mono: event.Time(at), Offset: unixMono + jitter - 3}})
}

// mark says that all before an instant has been written.
func (g *Generator) mark(at int64) {
	m := &recording.Mark{Time: event.Time(at)}
	g.w.Fact(recording.Fact{Tick: m})
	g.w.Fact(recording.Fact{Progress: m})
}
