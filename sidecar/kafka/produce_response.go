package kafka

// ProduceResponse is the fields of one Produce response, and their decoder.
// Its storage is used again by the next Begin.
type ProduceResponse struct {
	Version    int16
	ThrottleMS int32
	Partitions []ProduceResult

	names    *Interner
	state    produceRespState
	flexible bool
	tags     tags
	topic    string
	topicID  [16]byte
	topics   int // that have not begun
	parts    int // of this topic that have not begun
	errors   int // of this partition that have not begun
}

// ProduceResult is the broker's verdict on one partition.
type ProduceResult struct {
	Topic         string // "" from v13 on
	TopicID       [16]byte
	Partition     int32
	Error         int16
	BaseOffset    int64
	LogAppendTime int64
}

type produceRespState uint8

const (
	respHeaderTags produceRespState = iota
	respTopics
	respTopic
	respPartition
	respRecordError
	respRecordErrorTags
	respErrorMessage
	respPartitionTags
	respTopicTags
	respThrottle
	respTags
	respEnd
)

const produceRecordErrors int16 = 8 // brought record errors and the error message

// Begin prepares for the response to a request of a version from
// ProduceOldest to ProduceLatest.
func (p *ProduceResponse) Begin(version int16, names *Interner) *ProduceResponse {
	parts := p.Partitions[:0]
	*p = ProduceResponse{Version: version, Partitions: parts, names: names, flexible: version >= produceFlexible}
	if !p.flexible {
		p.state = respTopics
	}
	return p
}

func (p *ProduceResponse) ended() bool { return p.state == respEnd }
func (p *ProduceResponse) giveUp() int { return 0 }

func (p *ProduceResponse) run(c *cursor) {
	for p.state != respEnd && c.more() {
		switch p.state {
		case respHeaderTags:
			p.passTags(c, respTopics)
		case respTopics:
			n := c.count(p.flexible, 3, MaxPartitions)
			if c.unit() {
				p.topics = n
				p.nextTopic()
			}
		case respTopic:
			p.beginTopic(c)
		case respPartition:
			p.partition(c)
		case respRecordError:
			p.recordError(c)
		case respRecordErrorTags:
			if p.tags.run(c) {
				p.nextError()
			}
		case respErrorMessage:
			p.message(c)
		case respPartitionTags:
			if p.tags.run(c) {
				p.nextPartition()
			}
		case respTopicTags:
			if p.tags.run(c) {
				p.nextTopic()
			}
		case respThrottle:
			p.throttle(c)
		case respTags:
			p.passTags(c, respEnd)
		}
	}
}

func (p *ProduceResponse) passTags(c *cursor, next produceRespState) {
	if p.tags.run(c) {
		p.state = next
	}
}

func (p *ProduceResponse) beginTopic(c *cursor) {
	var name []byte
	var id [16]byte
	if p.Version >= produceTopicIDs {
		id = c.uuid()
	} else {
		name = c.name(p.flexible, false)
	}
	parts := c.count(p.flexible, 22, MaxPartitions-len(p.Partitions))
	if !c.unit() {
		return
	}
	p.topic, p.topicID = p.names.String(name), id
	p.topics--
	p.parts = parts
	p.nextPartition()
}

func (p *ProduceResponse) partition(c *cursor) {
	r := ProduceResult{Topic: p.topic, TopicID: p.topicID}
	r.Partition, r.Error, r.BaseOffset, r.LogAppendTime = c.int32(), c.int16(), c.int64(), c.int64()
	if p.Version >= 5 {
		c.int64() // log start offset
	}
	errors := 0
	if p.Version >= produceRecordErrors {
		errors = c.count(p.flexible, 5, MaxFrame)
	}
	if !c.unit() {
		return
	}
	p.Partitions = append(p.Partitions, r)
	p.parts--
	p.errors = errors
	p.nextError()
}

// recordError passes over one record's index and text.
func (p *ProduceResponse) recordError(c *cursor) {
	c.int32()
	n := c.length(p.flexible)
	if !c.unit() {
		return
	}
	p.errors--
	if p.flexible {
		p.state = respRecordErrorTags
	} else {
		p.nextError()
	}
	c.pass(max(n, 0))
}

func (p *ProduceResponse) nextError() {
	switch {
	case p.Version < produceRecordErrors:
		p.nextPartition()
	case p.errors > 0:
		p.state = respRecordError
	default:
		p.state = respErrorMessage
	}
}

func (p *ProduceResponse) message(c *cursor) {
	n := c.length(p.flexible)
	if !c.unit() {
		return
	}
	if p.flexible {
		p.state = respPartitionTags
	} else {
		p.nextPartition()
	}
	c.pass(max(n, 0))
}

func (p *ProduceResponse) nextPartition() {
	switch {
	case p.parts > 0:
		p.state = respPartition
	case p.flexible:
		p.state = respTopicTags
	default:
		p.nextTopic()
	}
}

func (p *ProduceResponse) nextTopic() {
	p.state = respThrottle
	if p.topics > 0 {
		p.state = respTopic
	}
}

func (p *ProduceResponse) throttle(c *cursor) {
	ms := c.int32()
	if !c.unit() {
		return
	}
	p.ThrottleMS = ms
	p.state = respEnd
	if p.flexible {
		p.state = respTags
	}
}
