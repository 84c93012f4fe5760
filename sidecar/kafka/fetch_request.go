package kafka

// The versions of Fetch requests that are read: v12 brought the flexible
// encoding, v13 topic ids, v15 moved the replica's id to a tagged field at the
// end (FetchRequest.json).
const (
	FetchOldest       int16 = 4
	FetchLatest       int16 = 18
	fetchSessions     int16 = 7
	fetchRack         int16 = 11
	fetchFlexible     int16 = 12
	fetchTopicIDs     int16 = 13
	fetchReplicaState int16 = 15

	// MaxFetchPartitions bounds the partitions of one Fetch frame: a follower
	// lists all of a broker's when its session begins.
	MaxFetchPartitions = 1 << 16
)

// FetchRequest is what a follower's Fetch request asks for, and its decoder.
// Of a consumer's nothing but Replica is of use; up to v14, where it comes
// first, nothing more is read. Its storage is used again by the next Begin.
type FetchRequest struct {
	Version    int16
	Replica    int32 // the follower's broker id; negative: a consumer's
	Partitions []FetchPartition

	names    *Interner
	state    fetchState
	flexible bool
	tags     tags
	topic    string
	topicID  [16]byte
	topics   int // that have not begun, asked for or forgotten
	parts    int // of this topic that have not begun
	extra    int // tagged fields of the request that have not begun
}

// FetchPartition is one partition that is asked for.
type FetchPartition struct {
	Topic     string // "" from v13 on
	TopicID   [16]byte
	Partition int32
	Offset    int64 // the first that is asked for
}

type fetchState uint8

const (
	fetchHeaderTags fetchState = iota
	fetchReplica
	fetchPrologue
	fetchTopic
	fetchPartition
	fetchPartitionTags
	fetchTopicTags
	fetchForgotten
	fetchForgottenTopic
	fetchForgottenTags
	fetchRackName
	fetchTags
	fetchTag
	fetchEnd
)

// Begin prepares for a request of a version from FetchOldest to FetchLatest.
func (f *FetchRequest) Begin(version int16, names *Interner) *FetchRequest {
	*f = FetchRequest{Version: version, Replica: -1, Partitions: f.Partitions[:0], names: names,
		flexible: version >= fetchFlexible, state: fetchReplica}
	if f.flexible {
		f.state = fetchHeaderTags
	}
	return f
}

func (f *FetchRequest) ended() bool { return f.state == fetchEnd }
func (f *FetchRequest) giveUp() int { return 0 }

func (f *FetchRequest) run(c *cursor) {
	for f.state != fetchEnd && c.more() {
		switch f.state {
		case fetchHeaderTags:
			if f.tags.run(c) {
				f.state = fetchReplica
			}
		case fetchReplica:
			f.replica(c)
		case fetchPrologue:
			f.prologue(c)
		case fetchTopic:
			f.beginTopic(c)
		case fetchPartition:
			f.partition(c)
		case fetchPartitionTags:
			if f.tags.run(c) {
				f.nextPartition()
			}
		case fetchTopicTags:
			if f.tags.run(c) {
				f.nextTopic()
			}
		default:
			f.runRest(c)
		}
	}
}

// replica reads the field of v14 and before, and stops at a consumer's.
func (f *FetchRequest) replica(c *cursor) {
	if f.Version >= fetchReplicaState {
		f.state = fetchPrologue
		return
	}
	id := c.int32()
	if !c.unit() {
		return
	}
	f.Replica, f.state = id, fetchPrologue
	if id < 0 {
		f.state = fetchEnd
		c.pass(c.limit - c.off)
	}
}

func (f *FetchRequest) prologue(c *cursor) {
	c.int32() // max wait
	c.int32() // min bytes
	c.int32() // max bytes
	c.int8()  // isolation level
	if f.Version >= fetchSessions {
		c.int32() // session id
		c.int32() // session epoch
	}
	topics := c.count(f.flexible, 3, MaxFetchPartitions)
	if !c.unit() {
		return
	}
	f.topics = topics
	f.nextTopic()
}

// topicKey reads a topic's name, or its id from v13 on.
func (f *FetchRequest) topicKey(c *cursor) (name []byte, id [16]byte) {
	if f.Version >= fetchTopicIDs {
		return nil, c.uuid()
	}
	return c.name(f.flexible, false), id
}

func (f *FetchRequest) beginTopic(c *cursor) {
	name, id := f.topicKey(c)
	parts := c.count(f.flexible, 16, MaxFetchPartitions-len(f.Partitions))
	if !c.unit() {
		return
	}
	f.topic, f.topicID = f.names.String(name), id
	f.topics--
	f.parts = parts
	f.nextPartition()
}

func (f *FetchRequest) partition(c *cursor) {
	p := FetchPartition{Topic: f.topic, TopicID: f.topicID, Partition: c.int32()}
	if f.Version >= 9 {
		c.int32() // current leader epoch
	}
	p.Offset = c.int64()
	if f.Version >= 12 {
		c.int32() // last fetched epoch
	}
	if f.Version >= 5 {
		c.int64() // log start offset
	}
	c.int32() // max bytes
	if !c.unit() {
		return
	}
	f.Partitions = append(f.Partitions, p)
	f.parts--
	f.state = fetchPartitionTags
	if !f.flexible {
		f.nextPartition()
	}
}

func (f *FetchRequest) nextPartition() {
	switch {
	case f.parts > 0:
		f.state = fetchPartition
	case f.flexible:
		f.state = fetchTopicTags
	default:
		f.nextTopic()
	}
}

func (f *FetchRequest) nextTopic() {
	switch {
	case f.topics > 0:
		f.state = fetchTopic
	case f.Version >= fetchSessions:
		f.state = fetchForgotten
	default:
		f.state = fetchEnd
	}
}
