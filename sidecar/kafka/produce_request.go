package kafka

import "encoding/binary"

// The versions of Produce that are read: v3 brought the record batch that all
// of this is about, v9 the flexible encoding, v13 topic ids.
const (
	ProduceOldest   int16 = 3
	ProduceLatest   int16 = 13
	produceFlexible int16 = 9
	produceTopicIDs int16 = 13
)

// ProduceRequest is the fields of one Produce request, and their decoder. Its
// storage is used again by the next Begin.
type ProduceRequest struct {
	Version         int16
	TransactionalID string
	Acks            int16
	TimeoutMS       int32
	Partitions      []ProducePartition
	HeadersCut      bool // not all record headers were read: the budget ran out, or records were missed

	names    *Interner
	state    produceState
	flexible bool
	tags     tags
	topic    string
	topicID  [16]byte
	topics   int // that have not begun
	parts    int // of this topic that have not begun

	headers  *HeaderReader
	budget   Budget
	contexts contexts
	walk     records // of an uncompressed batch
	plain    bool    // the batch is one
	gather   *gather // of a compressed batch, where it comes in pieces
	due      int     // bytes of it that have not come
	beyond   int     // bytes behind those, too many to be gathered
	idBytes  int     // of the batch's message ids
}

// ProducePartition is what the request carries for one partition.
type ProducePartition struct {
	Topic     string // "" from v13 on
	TopicID   [16]byte
	Partition int32
	Bytes     int32 // of the records field
	Batch     Batch // zero unless Whole
	Whole     bool  // the records are exactly one batch of magic 2

	MessageIDs    []string
	HeadersFailed bool // the records could not be read, or not all
}

type produceState uint8

const (
	produceHeaderTags produceState = iota
	producePrologue
	produceTopic
	producePartition
	produceRecords
	producePartitionTags
	produceTopicTags
	produceTags
	produceEnd
)

// Begin prepares for a request of a version from ProduceOldest to
// ProduceLatest. Where headers is nil, or wants none, no record is looked at.
func (p *ProduceRequest) Begin(version int16, names *Interner, headers *HeaderReader) *ProduceRequest {
	p.Version, p.TransactionalID, p.Acks, p.TimeoutMS = version, "", 0, 0
	p.Partitions = p.Partitions[:0]
	p.names = names
	p.beginHeaders(headers)
	p.flexible, p.tags, p.state = version >= produceFlexible, tags{}, produceHeaderTags
	if !p.flexible {
		p.state = producePrologue
	}
	return p
}

// Contexts are the distinct trace contexts of the records, at most
// MaxContexts, and the number of further ones. They are borrowed.
func (p *ProduceRequest) Contexts() (list []TraceContext, omitted int) {
	return p.contexts.list, len(p.contexts.more)
}

// SharedContext says that all records of all partitions have one trace context,
// and that it is sampled.
func (p *ProduceRequest) SharedContext() bool {
	records := 0
	for i := range p.Partitions {
		at := &p.Partitions[i]
		if !at.Whole {
			return false
		}
		records += int(at.Batch.Records)
	}
	return !p.HeadersCut && p.contexts.shared(records)
}

func (p *ProduceRequest) ended() bool { return p.state == produceEnd }

func (p *ProduceRequest) run(c *cursor) {
	for p.state != produceEnd && c.more() {
		switch p.state {
		case produceHeaderTags:
			if p.tags.none(c) || p.tags.run(c) {
				p.state = producePrologue
			}
		case producePrologue:
			p.prologue(c)
		case produceTopic:
			p.beginTopic(c)
		case producePartition:
			p.partition(c)
		case produceRecords:
			if p.records(c) {
				p.endPartition()
			}
		case producePartitionTags:
			if p.tags.none(c) || p.tags.run(c) {
				p.nextPartition()
			}
		case produceTopicTags:
			if p.tags.none(c) || p.tags.run(c) {
				p.nextTopic()
			}
		case produceTags:
			if p.tags.none(c) || p.tags.run(c) {
				p.state = produceEnd
			}
		}
	}
}

func (p *ProduceRequest) prologue(c *cursor) {
	id := c.name(p.flexible, true)
	fixed := c.bytes(2 + 4)
	topics := c.count(p.flexible, 3, MaxPartitions)
	if !c.unit() {
		return
	}
	if len(id) > 0 {
		p.TransactionalID = p.names.String(id)
	}
	p.Acks, p.TimeoutMS = int16(binary.BigEndian.Uint16(fixed)), int32(binary.BigEndian.Uint32(fixed[2:]))
	p.topics = topics
	p.nextTopic()
}

func (p *ProduceRequest) beginTopic(c *cursor) {
	var name []byte
	var id [16]byte
	if p.Version >= produceTopicIDs {
		id = c.uuid()
	} else {
		name = c.name(p.flexible, false)
	}
	parts := c.count(p.flexible, 5, MaxPartitions-len(p.Partitions))
	if !c.unit() {
		return
	}
	p.topicID = id
	if p.topic != string(name) { // else it is the last request's
		p.topic = p.names.String(name)
	}
	p.topics--
	p.parts = parts
	p.nextPartition()
}

func (p *ProduceRequest) partition(c *cursor) {
	index, size := c.int32(), 0
	if p.flexible {
		size = int(c.uvarint()) - 1
	} else {
		size = int(c.int32())
	}
	if size > c.limit-c.off && c.fail == fine {
		c.fail = broken
	}
	var b []byte
	if size >= BatchHeaderSize && mayBeBatch(c.rest(), size) {
		b = c.bytes(BatchHeaderSize)
	}
	if !c.unit() {
		return
	}
	size = max(size, 0)
	p.parts--
	at := p.add()
	at.Topic, at.TopicID, at.Partition, at.Bytes = p.topic, p.topicID, index, int32(size)
	at.Whole = at.Batch.parse(b)
	if at.Whole && int(at.Batch.Length) != size {
		at.Batch, at.Whole = Batch{}, false
	}
	rest := size - len(b)
	if at.Whole && p.beginRecords(&at.Batch, rest) {
		p.state = produceRecords
		return
	}
	p.endPartition()
	c.pass(rest)
}

// add appends a partition in storage that may have been used before.
func (p *ProduceRequest) add() *ProducePartition {
	n := len(p.Partitions)
	if n < cap(p.Partitions) {
		p.Partitions = p.Partitions[:n+1]
	} else {
		p.Partitions = append(p.Partitions, ProducePartition{})
	}
	at := &p.Partitions[n]
	at.MessageIDs, at.HeadersFailed = nil, false
	return at
}

func (p *ProduceRequest) endPartition() {
	if p.flexible {
		p.state = producePartitionTags
		return
	}
	p.nextPartition()
}

func (p *ProduceRequest) nextPartition() {
	switch {
	case p.parts > 0:
		p.state = producePartition
	case p.flexible:
		p.state = produceTopicTags
	default:
		p.nextTopic()
	}
}

func (p *ProduceRequest) nextTopic() {
	switch {
	case p.topics > 0:
		p.state = produceTopic
	case p.flexible:
		p.state = produceTags
	default:
		p.state = produceEnd
	}
}

func (p *ProduceRequest) giveUp() int {
	if p.state != produceRecords {
		return 0
	}
	n := p.giveUpRecords()
	p.endPartition()
	return n
}
