package flood

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"github.com/tailspan/tailspan/spans"
)

// Who takes part, by host numbers that could be any.
const (
	brokerPID   = 4200
	networkTID  = 4300 // wakes idle handlers
	journalTID  = 310  // kjournald2
	handlerTID  = 5000 // the first
	clusterID   = "TailspanFloodCluster00"
	nodeID      = 1
	followerID  = 2
	device      = 8<<20 | 16 // 8:16
	leaderEpoch = 5

	// handlers work on the quick requests in turn, each on every eighth.
	handlers = 8

	// replicatedEach: of so many topics the last is replicated; it has one
	// partition and is written to with acks=all. The others have two.
	replicatedEach = 10
)

var brokerAddr = netip.MustParseAddrPort("10.1.0.1:9092")

// topic is one with its partitions.
type topic struct {
	name       string
	id         [16]byte
	version    int16 // of Produce, that its producers speak
	replicated bool
	partitions []*partition
}

// partition is a log and what it takes to write about it.
type partition struct {
	topic  *topic
	number int32
	dir    string
	inode  uint64

	next int64 // the next offset
	size int64 // of the segment
	held bool  // its lock is, or its follower is behind: no quick request goes there

	shapes [len(sizes)]shape
	answer answer
	fetch  fetchFrames // of a replicated one
}

// sizes are those of batches, without their heads, and how often of eight each
// comes.
var sizes = [...]struct{ records, bytes, weight int }{
	{1, 130, 4}, {3, 460, 3}, {12, 2100, 1},
}

// conn is one TCP connection. Its sequence numbers are those of the next bytes.
type conn struct {
	addr        netip.AddrPort
	in, out     uint32
	correlation int32
}

// cast is all of them.
type cast struct {
	topics     []*topic
	plain      []*topic // two partitions each
	replicated []*topic
	conns      []*conn // one topic's each
	spare      []*conn // free ones for slow requests
	threads    []int32 // free ones for slow requests
	follower   *conn
	all        []*conn
}

func newCast(s *Script, r *rand.Rand) *cast {
	c := &cast{}
	for i := range s.Topics {
		t := newTopic(i, r)
		c.topics = append(c.topics, t)
		if t.replicated {
			c.replicated = append(c.replicated, t)
		} else {
			c.plain = append(c.plain, t)
		}
	}
	for range s.Connections {
		c.conns = append(c.conns, c.connect(r))
	}
	// Two stalls may overlap by their last requests.
	for range 2 * perStall(s.Slow.Total()) {
		c.spare = append(c.spare, c.connect(r))
		c.threads = append(c.threads, int32(handlerTID+handlers+len(c.threads)))
	}
	c.follower = c.connect(r)
	return c
}

// connect makes a connection; each client host has 1,000.
func (c *cast) connect(r *rand.Rand) *conn {
	n := len(c.all)
	k := &conn{
		addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(n / 1000), 1}), uint16(32768+n%1000)),
		in:   r.Uint32(), out: r.Uint32(), correlation: r.Int32N(1 << 20),
	}
	c.all = append(c.all, k)
	return k
}

func newTopic(i int, r *rand.Rand) *topic {
	t := &topic{
		name: fmt.Sprintf("flood-%04d", i), version: 9 + int16(i/replicatedEach+i)%5,
		replicated: i%replicatedEach == replicatedEach-1,
	}
	for k := range t.id {
		t.id[k] = byte(r.Uint32())
	}
	n := 2
	if t.replicated {
		n = 1
	}
	for k := range n {
		p := &partition{topic: t, number: int32(k), dir: fmt.Sprintf("%s-%d", t.name, k),
			inode: uint64(1000 + 2*i + k), next: r.Int64N(1 << 30), size: r.Int64N(1 << 28)}
		p.frames()
		t.partitions = append(t.partitions, p)
	}
	return t
}

// traceID is that of a request for this partition alone.
func (p *partition) traceID(base int64) spans.TraceID {
	id := p.topic.id
	if p.topic.version < 13 {
		id = [16]byte{}
	}
	return spans.PlaceID(clusterID, id, p.topic.name, p.number, base)
}

// take and give lend the spare connections and threads.
func take[T any](all *[]T) T {
	n := len(*all) - 1
	x := (*all)[n]
	*all = (*all)[:n]
	return x
}

func give[T any](all *[]T, x T) { *all = append(*all, x) }
