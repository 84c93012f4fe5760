package flood

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// shape is a request for one partition, of one size, and its write.
type shape struct {
	request []byte // a packet
	batchAt int    // in it
	records int32
	bytes   int32 // of the batch
	write   []byte
}

// answer is a partition's response.
type answer struct {
	packet []byte
	baseAt int
}

// fetchFrames are the follower's request for a partition, and its response.
type fetchFrames struct {
	request  []byte
	offsetAt int
	answer   []byte
}

// mark is a number that stands nowhere by chance.
const mark = 0x5ca1ab1e0ddba11

var markBytes = be.AppendUint64(nil, mark)

// frames makes all templates of a partition.
func (p *partition) frames() {
	for i, size := range sizes {
		p.shapes[i] = p.shape(batch(size.records, size.bytes))
	}
	a := kmsg.NewPtrProduceResponse()
	a.SetVersion(p.topic.version)
	part := kmsg.NewProduceResponseTopicPartition()
	part.Partition, part.BaseOffset, part.LogStartOffset = p.number, mark, 0
	a.Topics = []kmsg.ProduceResponseTopic{{Topic: p.topic.name, TopicID: p.topic.id, Partitions: []kmsg.ProduceResponseTopicPartition{part}}}
	p.answer.packet = answerPacket(a)
	p.answer.baseAt = within(p.answer.packet, markBytes)
	if p.topic.replicated {
		p.fetch = p.fetches()
	}
}

func (p *partition) shape(records []byte) shape {
	q := kmsg.NewPtrProduceRequest()
	q.SetVersion(p.topic.version)
	q.Acks, q.TimeoutMillis = 1, 30_000
	if p.topic.replicated {
		q.Acks = -1
	}
	part := kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = p.number, records
	q.Topics = []kmsg.ProduceRequestTopic{{Topic: p.topic.name, TopicID: p.topic.id, Partitions: []kmsg.ProduceRequestTopicPartition{part}}}
	s := shape{request: requestPacket("producer-of-"+p.topic.name, q),
		records: int32(be.Uint32(records[batchRecords:])), bytes: int32(len(records))}
	s.batchAt = within(s.request, records[:batchHead])
	s.write = p.writeRecord(records)
	return s
}

func (p *partition) fetches() (f fetchFrames) {
	const version = 17
	q := kmsg.NewPtrFetchRequest()
	q.SetVersion(version)
	q.ReplicaState.ID, q.MaxWaitMillis, q.MinBytes = followerID, 500, 1
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.CurrentLeaderEpoch = p.number, mark, leaderEpoch
	q.Topics = []kmsg.FetchRequestTopic{{TopicID: p.topic.id, Partitions: []kmsg.FetchRequestTopicPartition{part}}}
	f.request = requestPacket("broker-2-fetcher-0", q)
	f.offsetAt = within(f.request, markBytes)
	a := kmsg.NewPtrFetchResponse()
	a.SetVersion(version)
	got := kmsg.NewFetchResponseTopicPartition()
	got.Partition, got.RecordBatches = p.number, make([]byte, sizes[0].bytes+batchHead)
	a.Topics = []kmsg.FetchResponseTopic{{TopicID: p.topic.id, Partitions: []kmsg.FetchResponseTopicPartition{got}}}
	f.answer = answerPacket(a)
	return f
}

// send patches a request for its connection.
func (s *shape) send(k *conn, correlation int32, crc uint32) []byte {
	b := s.request
	k.toBroker(b)
	be.PutUint32(b[requestCorrelation:], uint32(correlation))
	be.PutUint32(b[s.batchAt+batchCRC:], crc)
	return b
}

// give patches a response.
func (a *answer) give(k *conn, correlation int32, base int64) []byte {
	b := a.packet
	k.toClient(b)
	be.PutUint32(b[answerCorrelation:], uint32(correlation))
	be.PutUint64(b[a.baseAt:], uint64(base))
	return b
}
