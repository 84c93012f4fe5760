package kafka

// What follows the partitions of a Fetch request: the topics that leave its
// session and the rack, which are passed over, and the tagged fields.

// tagReplicaState is the tag of ReplicaState: the replica's id and its epoch.
const tagReplicaState = 1

func (f *FetchRequest) runRest(c *cursor) {
	switch f.state {
	case fetchForgotten:
		n := c.count(f.flexible, 3, MaxFetchPartitions)
		if c.unit() {
			f.topics = n
			f.nextForgotten()
		}
	case fetchForgottenTopic:
		f.forgottenTopic(c)
	case fetchForgottenTags:
		if f.tags.run(c) {
			f.nextForgotten()
		}
	case fetchRackName:
		f.rack(c)
	case fetchTags:
		n := int(c.uvarint())
		if n > MaxTags && c.fail == fine {
			c.fail = bound
		}
		if c.unit() {
			f.extra = n
			f.nextTag()
		}
	case fetchTag:
		f.tag(c)
	}
}

func (f *FetchRequest) forgottenTopic(c *cursor) {
	f.topicKey(c)
	n := c.count(f.flexible, 4, MaxFetchPartitions)
	if !c.unit() {
		return
	}
	f.topics--
	if f.flexible {
		f.state = fetchForgottenTags
	} else {
		f.nextForgotten()
	}
	c.pass(4 * n)
}

func (f *FetchRequest) nextForgotten() {
	switch {
	case f.topics > 0:
		f.state = fetchForgottenTopic
	case f.Version >= fetchRack:
		f.state = fetchRackName
	default:
		f.state = fetchEnd
	}
}

func (f *FetchRequest) rack(c *cursor) {
	n := c.length(f.flexible)
	if n < 0 && c.fail == fine {
		c.fail = broken
	}
	if !c.unit() {
		return
	}
	f.state = fetchEnd
	if f.flexible {
		f.state = fetchTags
	}
	c.pass(n)
}

// tag reads one tagged field of the request, of which only the replica's id
// is of use.
func (f *FetchRequest) tag(c *cursor) {
	tag, size := c.uvarint(), int(c.uvarint())
	if size > c.limit-c.off && c.fail == fine {
		c.fail = broken
	}
	state := tag == tagReplicaState && f.Version >= fetchReplicaState
	id := f.Replica
	if state {
		if size < 4 && c.fail == fine {
			c.fail = broken
		}
		id = c.int32()
		size -= 4
	}
	if !c.unit() {
		return
	}
	f.Replica = id
	f.extra--
	f.nextTag()
	c.pass(size)
}

func (f *FetchRequest) nextTag() {
	f.state = fetchEnd
	if f.extra > 0 {
		f.state = fetchTag
	}
}
