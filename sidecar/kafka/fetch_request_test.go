package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetches is a handler that remembers Fetch requests.
type fetches struct {
	seen
	got []FetchRequest
}

func (s *fetches) Request(h *RequestHeader) Body {
	return new(FetchRequest).Begin(h.APIVersion, s.names)
}

func (s *fetches) RequestDone(_ *RequestHeader, b Body, err error) {
	s.errs = append(s.errs, err)
	if f, ok := b.(*FetchRequest); ok && err == nil {
		s.got = append(s.got, *f)
	}
}

// randomFetch is a follower's request, or one time in three a consumer's.
func randomFetch(r *rand.Rand, version int16) *kmsg.FetchRequest {
	q := kmsg.NewPtrFetchRequest()
	q.SetVersion(version)
	q.MaxWaitMillis, q.MinBytes, q.SessionID, q.SessionEpoch = 500, 1, r.Int32(), r.Int32()
	if replica := int32(r.IntN(3)) - 1; version < fetchReplicaState {
		q.ReplicaID = replica
	} else if replica >= 0 {
		q.ReplicaState.ID, q.ReplicaState.Epoch = replica, r.Int64()
	}
	for i := range r.IntN(4) {
		t := kmsg.NewFetchRequestTopic()
		t.Topic, t.TopicID = fmt.Sprint("topic-", i), randomID(r)
		for j := range r.IntN(4) {
			p := kmsg.NewFetchRequestTopicPartition()
			p.Partition, p.FetchOffset, p.LogStartOffset, p.PartitionMaxBytes = int32(j), r.Int64(), 5, 1<<20
			p.CurrentLeaderEpoch, p.LastFetchedEpoch = 3, 2
			if r.IntN(2) == 0 {
				p.ReplicaDirectoryID, p.HighWatermark = randomID(r), r.Int64()
			}
			t.Partitions = append(t.Partitions, p)
		}
		q.Topics = append(q.Topics, t)
	}
	for range r.IntN(3) {
		t := kmsg.NewFetchRequestForgottenTopic()
		t.Topic, t.TopicID, t.Partitions = "left", randomID(r), make([]int32, r.IntN(5))
		q.ForgottenTopics = append(q.ForgottenTopics, t)
	}
	if r.IntN(2) == 0 {
		q.Rack = "rack-a"
	}
	if r.IntN(3) == 0 && version >= fetchFlexible {
		q.ClusterID = kmsg.StringPtr("cluster")
		q.UnknownTags.Set(9, []byte("tagged"))
	}
	return q
}

// replicaOf is whose request it is, by kmsg.
func replicaOf(q *kmsg.FetchRequest) int32 {
	if q.Version < fetchReplicaState {
		return q.ReplicaID
	}
	return q.ReplicaState.ID
}

func checkFetch(t *testing.T, got *FetchRequest, q *kmsg.FetchRequest) {
	t.Helper()
	if got.Replica != replicaOf(q) {
		t.Fatalf("v%d: replica %d, should be %d", q.Version, got.Replica, replicaOf(q))
	}
	var want []FetchPartition
	for _, topic := range q.Topics {
		if q.Version >= fetchTopicIDs {
			topic.Topic = ""
		} else {
			topic.TopicID = [16]byte{}
		}
		for _, p := range topic.Partitions {
			want = append(want, FetchPartition{topic.Topic, topic.TopicID, p.Partition, p.FetchOffset})
		}
	}
	if q.Version < fetchReplicaState && got.Replica < 0 {
		want = nil
	}
	if !slices.Equal(got.Partitions, want) {
		t.Fatalf("v%d: %+v, should be %+v", q.Version, got.Partitions, want)
	}
}

func TestFetchRequestAgainstKmsg(t *testing.T) {
	if latest := kmsg.NewPtrFetchRequest().MaxVersion(); latest != FetchLatest {
		t.Errorf("kmsg knows v%d", latest)
	}
	r := newRand(t, 20)
	for version := FetchOldest; version <= FetchLatest; version++ {
		for range 150 {
			s := &fetches{seen: seen{names: NewInterner()}}
			var stream RequestStream
			var wire []byte
			var want []*kmsg.FetchRequest
			for i := range 1 + r.IntN(3) {
				want = append(want, randomFetch(r, version))
				wire = append(wire, requestFrame(want[i], int32(i), "broker-2-fetcher-0")...)
			}
			for _, piece := range pieces(r, wire) {
				if n, err := stream.Feed(piece, 0, nil, s.names, s); err != nil || n != len(piece) {
					t.Fatal(n, err)
				}
			}
			if len(s.got) != len(want) {
				t.Fatalf("v%d: %d of %d requests, %v", version, len(s.got), len(want), s.errs)
			}
			for i, q := range want {
				checkFetch(t, &s.got[i], q)
			}
		}
	}
}

// What is kept of a Fetch request reads the same, and holds neither rack nor
// cluster id; of a consumer's up to v14 hardly anything is kept.
func TestFetchRequestKept(t *testing.T) {
	r := newRand(t, 21)
	for range 400 {
		q := randomFetch(r, FetchOldest+int16(r.IntN(int(FetchLatest-FetchOldest)+1)))
		wire := requestFrame(q, 1, "c")
		a, b := &fetches{seen: seen{names: NewInterner()}}, &fetches{seen: seen{names: NewInterner()}}
		kept := feedRedacted(t, r, wire, a)
		if again := feedRedacted(t, r, kept, b); !bytes.Equal(again, kept) {
			t.Fatal("redacting twice gives something else")
		}
		if bytes.Contains(kept, []byte("rack-a")) || bytes.Contains(kept, []byte("cluster")) || bytes.Contains(kept, []byte("tagged")) {
			t.Fatal("a text was kept")
		}
		if len(a.got) != 1 || len(b.got) != 1 {
			t.Fatal(a.errs, b.errs)
		}
		checkFetch(t, &b.got[0], q)
		if q.Version < fetchReplicaState && q.ReplicaID < 0 && len(bytes.Trim(kept[20:], "\x00")) > 0 {
			t.Fatalf("kept of a consumer's: %x", kept)
		}
	}
}

func TestFetchRequestBounds(t *testing.T) {
	r := newRand(t, 22)
	q := randomFetch(r, 18)
	q.ReplicaState.ID = 2
	topic := kmsg.NewFetchRequestTopic()
	topic.Partitions = make([]kmsg.FetchRequestTopicPartition, MaxFetchPartitions)
	q.Topics = append(q.Topics[:0], topic)
	for _, more := range []bool{false, true} {
		if more {
			q.Topics = append(q.Topics, kmsg.FetchRequestTopic{Partitions: topic.Partitions[:1]})
		}
		s := &fetches{seen: seen{names: NewInterner()}}
		var stream RequestStream
		if _, err := stream.Feed(requestFrame(q, 1, "c"), 0, nil, s.names, s); err != nil {
			t.Fatal(err)
		}
		if more != errors.Is(s.errs[0], ErrBound) || more == (len(s.got) == 1) {
			t.Fatalf("more %v: %v", more, s.errs)
		}
	}
}

func FuzzFetchRequest(f *testing.F) {
	addSeeds(f, func(r *rand.Rand, v int16) []byte { return randomFetch(r, v).AppendTo(nil) }, FetchOldest, FetchLatest)
	f.Fuzz(func(t *testing.T, v, size uint8, body []byte) {
		version := FetchOldest + int16(v)%(FetchLatest-FetchOldest+1)
		if len(body) > maxForOracle {
			return
		}
		s := &fetches{seen: seen{names: NewInterner()}}
		var stream RequestStream
		wire := frameOf(body, version, version >= fetchFlexible)
		binary.BigEndian.PutUint16(wire[4:], uint16(KeyFetch))
		feedAll(t, wire, int(size), func(b []byte, k *Kept) (int, error) {
			return stream.Feed(b, 0, k, s.names, s)
		})
		if len(s.errs) != 1 || stream.Inside() || cap(stream.feed.carry) > 2*maxUnit {
			t.Fatalf("%v, carried %d", s.errs, cap(stream.feed.carry))
		}
		// kmsg loops for as many elements and tags as are declared, four
		// milliards if need be: it is asked only about what was decoded whole.
		if len(s.got) == 0 || version < fetchReplicaState && s.got[0].Replica < 0 {
			return
		}
		q := kmsg.NewPtrFetchRequest()
		q.SetVersion(version)
		// What is passed over here need not be sound for kmsg.
		if err := q.ReadFrom(body); err == nil && validNames(q) {
			checkFetch(t, &s.got[0], q)
		}
	})
}

// validNames says that no name had to be changed to be a string.
func validNames(q *kmsg.FetchRequest) bool {
	return !slices.ContainsFunc(q.Topics, func(t kmsg.FetchRequestTopic) bool { return t.Topic != string([]rune(t.Topic)) })
}

func TestProduceAcks(t *testing.T) {
	r := newRand(t, 23)
	for version := int16(0); version < ProduceOldest; version++ {
		q := randomProduce(r, version)
		var s acksSeen
		var stream RequestStream
		for _, piece := range pieces(r, requestFrame(q, 5, "c")) {
			if _, err := stream.Feed(piece, 0, nil, NewInterner(), &s); err != nil {
				t.Fatal(err)
			}
		}
		if s.done != 1 || s.err != nil || s.body.Acks != q.Acks || stream.Inside() {
			t.Fatalf("v%d: %+v", version, s)
		}
	}
}

type acksSeen struct {
	body ProduceAcks
	done int
	err  error
}

func (s *acksSeen) Request(*RequestHeader) Body { return s.body.Begin() }
func (s *acksSeen) RequestDone(_ *RequestHeader, _ Body, err error) {
	s.done++
	s.err = err
}
func (s *acksSeen) TokenDone() {}

// reuseFetch is a handler that decodes into the same storage.
type reuseFetch struct {
	names   *Interner
	request FetchRequest
	done    int
}

func (u *reuseFetch) Request(h *RequestHeader) Body { return u.request.Begin(h.APIVersion, u.names) }
func (u *reuseFetch) RequestDone(_ *RequestHeader, _ Body, err error) {
	if err == nil {
		u.done++
	}
}
func (u *reuseFetch) TokenDone() {}

func fetchFrame(version int16, replica int32, partitions int) []byte {
	q := kmsg.NewPtrFetchRequest()
	q.SetVersion(version)
	q.ReplicaID, q.ReplicaState.ID, q.ReplicaState.Epoch = replica, replica, 7
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = "orders", [16]byte{1}
	for i := range partitions {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.ReplicaDirectoryID = int32(i), int64(i), [16]byte{2}
		topic.Partitions = append(topic.Partitions, p)
	}
	q.Topics = append(q.Topics, topic)
	return requestFrame(q, 1, "broker-2-fetcher-0")
}

func TestFetchRequestAllocatesNothing(t *testing.T) {
	for _, version := range []int16{11, 17, 18} {
		wire, u := fetchFrame(version, 2, 50), &reuseFetch{names: NewInterner()}
		var stream RequestStream
		if n := testing.AllocsPerRun(100, func() {
			stream.Feed(wire[:33], 0, nil, u.names, u)
			stream.Feed(wire[33:], 0, nil, u.names, u)
		}); n != 0 {
			t.Errorf("v%d: %v allocations", version, n)
		}
	}
}

// BenchmarkFetchRequest is a follower's, and a consumer's, of 50 partitions.
func BenchmarkFetchRequest(b *testing.B) {
	for _, c := range []struct {
		name    string
		version int16
		replica int32
	}{{"v11/follower", 11, 2}, {"v11/consumer", 11, -1}, {"v18/follower", 18, 2}, {"v18/consumer", 18, -1}} {
		b.Run(c.name, func(b *testing.B) {
			wire, u := fetchFrame(c.version, c.replica, 50), &reuseFetch{names: NewInterner()}
			var stream RequestStream
			b.ReportAllocs()
			for b.Loop() {
				if _, err := stream.Feed(wire, 0, nil, u.names, u); err != nil {
					b.Fatal(err)
				}
			}
			if u.done != b.N {
				b.Fatal(u.done, b.N)
			}
		})
	}
}
