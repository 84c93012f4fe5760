package kafka

// The versions of Metadata responses that carry topic ids; older ones are
// passed over.
const (
	MetadataOldest int16 = 10
	MetadataLatest int16 = 13
)

// MetadataResponse takes topic names and ids from a Metadata response, and
// walks past everything else. Its storage is used again by the next Begin.
type MetadataResponse struct {
	Version int16
	Topics  []NamedTopic

	names   *Interner
	state   metadataState
	tags    tags
	brokers int // that have not begun
	topics  int // that have not begun
	parts   int // of this topic that have not begun
	arrays  int // of this partition: replicas, in sync, offline
}

// NamedTopic is one topic that exists.
type NamedTopic struct {
	ID   [16]byte
	Name string
}

type metadataState uint8

const (
	metaHeaderTags metadataState = iota
	metaPrologue
	metaBrokerHost
	metaBrokerRack
	metaBrokerTags
	metaCluster
	metaController
	metaTopic
	metaPartition
	metaReplicas
	metaPartitionTags
	metaTopicEnd
	metaTopicTags
	metaEpilogue
	metaTags
	metaEnd
)

// maxMetadataPartitions bounds what is walked, not what is held.
const maxMetadataPartitions = 1 << 20

// Begin prepares for the response to a request of a version from
// MetadataOldest to MetadataLatest.
func (m *MetadataResponse) Begin(version int16, names *Interner) *MetadataResponse {
	*m = MetadataResponse{Version: version, Topics: m.Topics[:0], names: names}
	return m
}

func (m *MetadataResponse) ended() bool { return m.state == metaEnd }
func (m *MetadataResponse) giveUp() int { return 0 }

func (m *MetadataResponse) run(c *cursor) {
	for m.state != metaEnd && c.more() {
		switch m.state {
		case metaHeaderTags:
			m.passTags(c, metaPrologue)
		case metaPrologue:
			c.int32() // throttle
			n := c.count(true, 11, maxMetadataPartitions)
			if c.unit() {
				m.brokers = n
				m.nextBroker()
			}
		case metaBrokerHost:
			c.int32() // node
			if m.passString(c, metaBrokerRack, false) {
				m.brokers--
			}
		case metaBrokerRack:
			c.int32() // port
			m.passString(c, metaBrokerTags, true)
		case metaBrokerTags:
			if m.tags.run(c) {
				m.nextBroker()
			}
		case metaCluster:
			m.passString(c, metaController, true)
		default:
			m.runTopics(c)
		}
	}
}

func (m *MetadataResponse) runTopics(c *cursor) {
	switch m.state {
	case metaController:
		c.int32()
		n := c.count(true, 26, MaxMetadataTopics)
		if c.unit() {
			m.topics = n
			m.nextTopic()
		}
	case metaTopic:
		m.topic(c)
	case metaPartition:
		m.partition(c)
	case metaReplicas:
		m.replicas(c)
	case metaPartitionTags:
		if m.tags.run(c) {
			m.nextPartition()
		}
	case metaTopicEnd:
		c.int32() // authorized operations
		if c.unit() {
			m.state = metaTopicTags
		}
	case metaTopicTags:
		if m.tags.run(c) {
			m.nextTopic()
		}
	case metaEpilogue:
		m.epilogue(c)
	case metaTags:
		m.passTags(c, metaEnd)
	}
}

func (m *MetadataResponse) passTags(c *cursor, next metadataState) {
	if m.tags.run(c) {
		m.state = next
	}
}

// passString ends a unit with a string's length and passes over its bytes.
func (m *MetadataResponse) passString(c *cursor, next metadataState, nullable bool) bool {
	n := c.length(true)
	if n < 0 && !nullable && c.fail == fine {
		c.fail = broken
	}
	if !c.unit() {
		return false
	}
	m.state = next
	c.pass(max(n, 0))
	return true
}

func (m *MetadataResponse) nextBroker() {
	m.state = metaCluster
	if m.brokers > 0 {
		m.state = metaBrokerHost
	}
}

func (m *MetadataResponse) topic(c *cursor) {
	code := c.int16()
	name := c.name(true, m.Version >= 12)
	id := c.uuid()
	c.int8() // internal
	n := c.count(true, 18, maxMetadataPartitions)
	if !c.unit() {
		return
	}
	m.topics--
	m.parts = n
	if code == 0 && len(name) > 0 && id != ([16]byte{}) {
		m.Topics = append(m.Topics, NamedTopic{id, m.names.String(name)})
	}
	m.nextPartition()
}

func (m *MetadataResponse) partition(c *cursor) {
	c.int16() // error
	c.int32() // partition
	c.int32() // leader
	c.int32() // leader epoch
	if !c.unit() {
		return
	}
	m.parts--
	m.arrays = 3
	m.state = metaReplicas
}

func (m *MetadataResponse) replicas(c *cursor) {
	n := c.count(true, 4, maxMetadataPartitions)
	if !c.unit() {
		return
	}
	if m.arrays--; m.arrays == 0 {
		m.state = metaPartitionTags
	}
	c.pass(4 * n)
}

func (m *MetadataResponse) nextPartition() {
	m.state = metaTopicEnd
	if m.parts > 0 {
		m.state = metaPartition
	}
}

func (m *MetadataResponse) nextTopic() {
	m.state = metaEpilogue
	if m.topics > 0 {
		m.state = metaTopic
	}
}

// epilogue passes over what only some versions have.
func (m *MetadataResponse) epilogue(c *cursor) {
	if m.Version <= 10 {
		c.int32() // the cluster's authorized operations
	}
	if m.Version >= 13 {
		c.int16() // error
	}
	if c.unit() {
		m.state = metaTags
	}
}
